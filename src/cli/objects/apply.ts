import { errorOf, type InjectionDocument } from '../../api/documents.ts';
import type { AppliedDocument } from '../../api/object-documents.ts';
import type { Operations } from '../../api/operations.ts';
import { asFaultlineError, FaultlineError, isFaultlineError } from '../../base/error.ts';
import { type Checked, ofObject, refuseChanged } from './check.ts';
import { standingOf } from './standing.ts';

/** An object in force, and whether that is our doing. */
interface InForce {
  readonly checked: Checked;
  readonly result: 'injected' | 'unchanged';
  readonly injection: InjectionDocument;
}

function referenceOf({ object: { kind, namespace, name }, request: { uid }, notes }: Checked) {
  return { kind: kind.kind, namespace, name, uid, notes };
}

/** What a dry run tells of an object. */
export function plannedDocument(checked: Checked): AppliedDocument {
  const reference = referenceOf(checked);
  const { live, plan } = checked;
  if (live !== undefined) return { ...reference, result: 'unchanged', injection: live, plan: null };
  return { ...reference, result: 'planned', injection: null, plan };
}

/** Somebody was quicker: if with the same, all is well. */
async function alreadyInForce(operations: Operations, checked: Checked, error: unknown): Promise<InForce> {
  if (!isFaultlineError(error, 'INJECTION_EXISTS')) throw error;
  const { live } = await standingOf(operations, checked.object);
  if (live === undefined) throw error;
  await refuseChanged(checked, live);
  return { checked, result: 'unchanged', injection: live };
}

async function putInForce(operations: Operations, checked: Checked): Promise<InForce> {
  if (checked.live !== undefined) return { checked, result: 'unchanged', injection: checked.live };
  try {
    const { shortfall, ...injection } = await operations.attack(checked.request);
    if (shortfall !== null) throw errorOf(shortfall);
    return { checked, result: 'injected', injection };
  } catch (error) {
    return await alreadyInForce(operations, checked, error);
  }
}

interface Undone {
  readonly undone: readonly string[];
  readonly left: readonly string[];
}

/** Undo injections, the newest first; one that cannot be undone does not keep the others waiting. */
async function undo(operations: Operations, uids: readonly string[]): Promise<Undone> {
  const [undone, left]: [string[], string[]] = [[], []];
  for (const uid of uids.toReversed()) {
    try {
      const { shortfall } = await operations.recover(uid, false);
      if (shortfall === null) undone.push(uid);
      else left.push(`${uid}: ${shortfall.message}`);
    } catch (error) {
      left.push(`${uid}: ${asFaultlineError(error).message}`);
    }
  }
  return { undone, left };
}

/** Why the file was not applied, and what became of what it had begun. */
function failure(error: unknown, { undone, left }: Undone): unknown {
  if (!(error instanceof FaultlineError) || undone.length + left.length === 0) return error;
  const { code, message, hint, details } = error;
  const sentences = [
    message,
    ...(undone.length === 0 ? [] : [`undone again: ${undone.join(', ')}`]),
    ...(left.length === 0 ? [] : [`not undone: ${left.join('; ')}`]),
  ];
  const remedy = left.length === 0 ? hint : `faultline delete -f FILE undoes the rest${hint ? `; ${hint}` : ''}`;
  return new FaultlineError(code, sentences.join('; '), {
    cause: error,
    ...(remedy === undefined ? {} : { hint: remedy }),
    details: { ...details, undone, left },
  });
}

/** What of an attack that fell short of what was asked for is in force all the same. */
function begunBy({ request: { uid } }: Checked, error: unknown): readonly string[] {
  return isFaultlineError(error, 'INJECTION_UNPROVEN') ? [uid] : [];
}

/**
 * Put objects in force that were checked. Either all of them are in the end, or none that was not before.
 *
 * @throws {FaultlineError} what went wrong with one of them, after what was begun is undone
 */
export async function applyAll(operations: Operations, all: readonly Checked[]): Promise<readonly AppliedDocument[]> {
  const inForce: InForce[] = [];
  for (const checked of all) {
    try {
      inForce.push(await putInForce(operations, checked));
    } catch (error) {
      const ours = inForce.filter(({ result }) => result === 'injected').map(({ injection }) => injection.uid);
      throw failure(ofObject(checked, error), await undo(operations, [...ours, ...begunBy(checked, error)]));
    }
  }
  return inForce.map(({ checked, result, injection }) => ({
    ...referenceOf(checked),
    uid: injection.uid,
    result,
    injection,
    plan: null,
  }));
}
