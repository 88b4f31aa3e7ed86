import { errorDocument, errorOf } from '../../api/documents.ts';
import type { DeletedDocument } from '../../api/object-documents.ts';
import type { Operations } from '../../api/operations.ts';
import { FaultlineError } from '../../base/error.ts';
import { isLive } from '../../base/lifecycle.ts';
import { type ChaosObject, objectLabel } from '../../faults/objects.ts';
import { newestOf } from './standing.ts';

function neverApplied(object: ChaosObject): FaultlineError {
  const sentence = `${objectLabel(object)} was never applied in the namespace ${object.namespace}`;
  return new FaultlineError('INJECTION_NOT_FOUND', sentence, {
    hint: 'faultline search lists what was injected; or is it another state folder?',
  });
}

async function deleteOne(operations: Operations, object: ChaosObject): Promise<DeletedDocument> {
  const { kind, namespace, name } = object;
  const reference = { kind: kind.kind, namespace, name, uid: null, recovery: null, error: null };
  const newest = await newestOf(operations, object);
  if (newest === undefined) return { ...reference, result: 'failed', error: errorDocument(neverApplied(object)) };
  const { uid } = newest;
  if (!isLive(newest.state)) return { ...reference, uid, result: 'already' };
  const recovery = await operations.recover(uid, false);
  if (recovery.shortfall === null) return { ...reference, uid, result: 'recovered', recovery };
  const error = errorOf(recovery.shortfall);
  return { ...reference, uid, result: 'failed', recovery, error: errorDocument(error) };
}

/** Undo what objects asked for, the last of the file first; one that cannot be undone keeps no other waiting. */
export async function deleteAll(
  operations: Operations,
  objects: readonly ChaosObject[],
): Promise<readonly DeletedDocument[]> {
  const deleted: DeletedDocument[] = [];
  for (const object of objects.toReversed()) {
    try {
      deleted.push(await deleteOne(operations, object));
    } catch (error) {
      if (!(error instanceof FaultlineError)) throw error;
      const { kind, namespace, name } = object;
      const reference = { kind: kind.kind, namespace, name, uid: null, recovery: null };
      deleted.push({ ...reference, result: 'failed', error: errorDocument(error) });
    }
  }
  return deleted.toReversed();
}
