import type { Engine } from '../experiment/engine.ts';
import { runNotFound } from '../experiment/runs.ts';
import type { RunDocument } from './result.ts';

/**
 * What became of a run, from the journal.
 *
 * @param uid absent: the newest run
 * @throws {FaultlineError} RUN_NOT_FOUND
 */
export function pastRun(engine: Engine, uid: string | undefined): RunDocument {
  const wanted = uid ?? engine.runs.list(1)[0]?.uid;
  if (wanted === undefined) throw runNotFound('no experiment was ever run on this state folder');
  const { document } = engine.runs.find(wanted);
  if (document === null) throw runNotFound(`the run ${wanted} is too old: its document is forgotten`);
  return document as unknown as RunDocument;
}
