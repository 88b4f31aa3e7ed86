import type { FaultlineError } from '../base/error.ts';
import { type JsonObject, textOf } from '../base/json.ts';
import { insertAudit } from '../store/audit.ts';
import { withoutCommandOutput } from './command-output.ts';
import type { EngineContext } from './context.ts';
import { errorToJson } from './error-json.ts';

export interface AuditedAction {
  /** `attack`, `recover`, `halt`, `release`, `repair`, `add schedule`, `end schedule`, `request` */
  readonly action: string;
  readonly subject: string | null;
  readonly parameters: JsonObject;
}

/** Without what a recover command said: the audit log is kept for ever. */
const messageOf = (message: unknown): string | null =>
  message === null ? null : withoutCommandOutput(textOf(message));

/** What a deed lacks of what was asked for; asked as the entry is written, inside its transaction. */
export type Lacks = () => unknown;

/** @returns whether it was written: an entry that cannot be (a full disk) must not turn a deed into an error */
async function tryWrite(context: EngineContext, action: AuditedAction, lacks: Lacks): Promise<boolean> {
  try {
    await context.timeline.write('audit', () => {
      const lack = lacks();
      const { code, message } = lack === undefined ? { code: 'ok', message: null } : errorToJson(lack);
      const ending = { result: textOf(code), message: messageOf(message) };
      insertAudit(context.store, { at: Date.now(), actor: context.actor, ...action, ...ending });
    });
    return true;
  } catch {
    // The journal's own rows tell what was done; the next write will say that the disk is full.
    return false;
  }
}

/** Write down what was done, and what it lacks of what was asked for, if anything. */
export async function writeAudit(context: EngineContext, action: AuditedAction, lacks: unknown): Promise<void> {
  await tryWrite(context, action, () => lacks);
}

/** The entry of a deed that is being done. */
export interface AuditEntry {
  /**
   * Write it now, before the deed is over: asked for together with the deed's last write, it shares its commit. `lacks`
   * throws where that write has failed; the entry is then written when the deed is over.
   */
  write(lacks: Lacks): Promise<void>;
}

/**
 * Do something and write down who did it and how it ended, refusals and failures too.
 *
 * @param shortfall what the result lacks of what was asked for, if anything
 */
export async function audited<Result>(
  context: EngineContext,
  action: AuditedAction,
  body: (entry: AuditEntry) => Promise<Result>,
  shortfall: (result: Result) => FaultlineError | undefined = () => undefined,
): Promise<Result> {
  const entry = { written: false };
  const write = async (lacks: Lacks): Promise<void> => {
    entry.written = await tryWrite(context, action, lacks);
  };
  try {
    const result = await body({ write });
    if (!entry.written) await write(() => shortfall(result));
    return result;
  } catch (error) {
    await write(() => error);
    throw error;
  }
}
