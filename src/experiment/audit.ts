import type { FaultlineError } from '../base/error.ts';
import { type JsonObject, textOf } from '../base/json.ts';
import { insertAudit } from '../store/audit.ts';
import type { EngineContext } from './context.ts';
import { errorToJson } from './error-json.ts';

export interface AuditedAction {
  /** `attack`, `recover`, `halt`, `release`, `repair`, `refuse` */
  readonly action: string;
  readonly subject: string | null;
  readonly parameters: JsonObject;
}

const messageOf = (message: unknown): string | null => (message === null ? null : textOf(message));

/**
 * Write down what was done, and what it lacks of what was asked for, if anything.
 *
 * An entry that cannot be written (a full disk) must not turn a deed that was done into an error.
 */
export async function writeAudit(context: EngineContext, action: AuditedAction, lacks: unknown): Promise<void> {
  const { code, message } = lacks === undefined ? { code: 'ok', message: null } : errorToJson(lacks);
  try {
    await context.timeline.write('audit', () => {
      const result = textOf(code);
      insertAudit(context.store, {
        at: Date.now(),
        actor: context.actor,
        ...action,
        result,
        message: messageOf(message),
      });
    });
  } catch {
    // The journal's own rows tell what was done; the next write will say that the disk is full.
  }
}

/**
 * Do something and write down who did it and how it ended, refusals and failures too.
 *
 * @param shortfall what the result lacks of what was asked for, if anything
 */
export async function audited<Result>(
  context: EngineContext,
  action: AuditedAction,
  body: () => Promise<Result>,
  shortfall: (result: Result) => FaultlineError | undefined = () => undefined,
): Promise<Result> {
  try {
    const result = await body();
    await writeAudit(context, action, shortfall(result));
    return result;
  } catch (error) {
    await writeAudit(context, action, error);
    throw error;
  }
}
