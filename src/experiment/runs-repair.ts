import { type Json, type JsonObject, textOf, toJson } from '../base/json.ts';
import { isLive } from '../base/lifecycle.ts';
import { findInjection, type InjectionRecord, liveInjectionsOfRun } from '../store/injections.ts';
import { endRun, findRun, openRuns, runDocument, type RunRecord } from '../store/runs.ts';
import { verdictsOf } from '../store/verdicts.ts';
import { writeAudit } from './audit.ts';
import type { EngineContext } from './context.ts';
import { isElsewhere, isOwned } from './ownership.ts';
import type { Repair } from './repair.ts';

/*
 * A run whose runner was killed: its injections are undone, the newest first, and the run gets its verdict. Its
 * rollbacks are the user's own commands: they are not run by somebody whom nobody asked, and the journal says so.
 */

/** Undoes one injection; handed in, since whoever repairs runs also repairs what is left of single attacks. */
type UndoOne = (injection: InjectionRecord, reason: string) => Promise<Repair | undefined>;

/** Runs that nobody runs any more and nobody has ended, the oldest first. */
export function orphanedRuns(context: EngineContext): readonly RunRecord[] {
  return openRuns(context.store).filter((run) => !isElsewhere(context, run) && !isOwned(context, run));
}

/** Is the run still without its runner and its verdict? */
export function isOrphaned(context: EngineContext, uid: string | null): boolean {
  const run = uid === null ? undefined : findRun(context.store, uid);
  return run !== undefined && run.verdict === null && !isElsewhere(context, run) && !isOwned(context, run);
}

function why({ host }: EngineContext, { bootId }: RunRecord): string {
  return bootId === host.bootId ? 'its runner was killed' : 'the host was rebooted while it went on';
}

const listOf = (value: Json | undefined): readonly Json[] => (Array.isArray(value) ? (value as readonly Json[]) : []);

function targetsOf({ store }: EngineContext, { id }: InjectionRecord): readonly Json[] {
  return verdictsOf(store, id)
    .filter(({ phase }) => phase === 'inject')
    .map(({ target: { label }, verdict, seen, evidence }) => ({ label, verdict, seen, evidence }));
}

/** What its runner last knew of an injection, with what the journal knows by now. */
function injectionNow(context: EngineContext, known: Json, atMs: number): Json {
  if (typeof known !== 'object' || known === null || !('uid' in known)) return known;
  const record = findInjection(context.store, textOf(known['uid']));
  if (record === undefined || (known['toMs'] ?? null) !== null) return known;
  const targets = listOf(known['targets']).length > 0 ? {} : { targets: targetsOf(context, record) };
  const isUndone = record.state === 'recovered' || record.state === 'failed';
  return { ...known, ...targets, state: record.state, toMs: isUndone ? atMs : null };
}

interface Ending {
  readonly verdict: string;
  readonly reason: string;
  readonly lines: readonly { readonly text: string; readonly level: 'info' | 'bad' }[];
}

/** What its runner last wrote down, with its end: what happened since is not known, but for what is undone. */
function endedDocument(
  context: EngineContext,
  run: RunRecord,
  known: JsonObject,
  { verdict, reason, lines }: Ending,
): JsonObject {
  const now = Date.now();
  const atMs = Math.max(now - run.startedAt, 0);
  return {
    ...known,
    endedAt: new Date(now).toISOString(),
    durationMs: atMs,
    verdict,
    reason,
    injections: listOf(known['injections']).map((one) => injectionNow(context, one, atMs)),
    journal: [...listOf(known['journal']), ...lines.map((line) => toJson({ atMs, ...line }))],
  };
}

const fieldsOf = (value: Json): JsonObject =>
  typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as JsonObject) : {};

/** A line for an injection that was undone, or that was not. */
function lineOf(known: JsonObject, { uid, outcome }: Repair): Ending['lines'][number] {
  const injections = listOf(known['injections']).map(fieldsOf);
  const name = textOf(injections.find((one) => one['uid'] === uid)?.['name'] ?? uid);
  if (outcome instanceof Error) return { text: `${name} could not be undone: ${outcome.message}`, level: 'bad' };
  const { state } = outcome.record;
  return { text: `${name} is ${state}`, level: isLive(state) ? 'bad' : 'info' };
}

/** What is to be known of the commands that only the runner runs; nothing, where it had run all of them. */
function rollbackLines(known: JsonObject): Ending['lines'] {
  const phases = listOf(known['phases']).map((phase) => fieldsOf(phase)['name']);
  if (phases.includes('after')) return [];
  const text = phases.includes('rollback')
    ? 'the rollback commands were broken off with it: those that are not listed were not run to their end'
    : 'no command of its rollbacks was run from then on';
  return [{ text, level: 'bad' }];
}

/**
 * Undo what a run has left behind, and end it. Any number of processes may do so at the same time.
 *
 * @returns what had to be undone
 * @throws {FaultlineError} STATE_…: its end could not be written down, and whoever looks next tries again
 */
export async function repairRun(context: EngineContext, run: RunRecord, undoOne: UndoOne): Promise<readonly Repair[]> {
  const reason = why(context, run);
  const repairs: Repair[] = [];
  for (const injection of liveInjectionsOfRun(context.store, run.uid).toReversed()) {
    const repair = await undoOne(injection, reason);
    if (repair !== undefined) repairs.push(repair);
  }
  const ended = await context.timeline.write('run', () => {
    if (!isOrphaned(context, run.uid)) return false;
    const known = runDocument(context.store, run.id) ?? {};
    const lines = [
      { text: `aborted: ${reason}`, level: 'bad' as const },
      ...repairs.map((one) => lineOf(known, one)),
      ...rollbackLines(known),
    ];
    const document = endedDocument(context, run, known, { verdict: 'aborted', reason, lines });
    return endRun(context.store, run.id, { endedAt: Date.now(), verdict: 'aborted', reason, document });
  });
  if (ended) await writeAudit(context, { action: 'repair', subject: run.uid, parameters: { reason } }, undefined);
  return repairs;
}
