import { existsSync } from 'node:fs';
import { FaultlineError } from '../base/error.ts';
import type { JsonObject } from '../base/json.ts';
import { printable } from '../base/text.ts';
import type { Plan } from '../faults/fault.ts';
import { bootTimeMs } from '../linux/clock.ts';
import { randomUuid } from '../linux/random-uuid.ts';
import { findInjection } from '../store/injections.ts';
import {
  addTouched,
  endRun,
  findRun,
  insertRun,
  listRuns,
  runDocument,
  type RunRecord,
  setRunDeadline,
  writeRunDocument,
} from '../store/runs.ts';
import {
  type BlastRadius,
  blastRadiusFromJson,
  blastRadiusToJson,
  countedTargets,
  guardBlastRadius,
} from './blast-radius.ts';
import { writeAudit } from './audit.ts';
import type { EngineContext } from './context.ts';
import { beginOperation } from './ownership.ts';

/*
 * Runs of experiments, as the engine knows them: who runs one, what its attacks may touch, and that all of them are
 * undone should the runner be killed. What an experiment is, and what its document holds, is for the floor above.
 */

export interface RunBeginning {
  /** Of the experiment. */
  readonly name: string;
  /** As the user named it. */
  readonly file: string;
  readonly blastRadius: BlastRadius;
}

export interface RunEnd {
  readonly verdict: string;
  readonly reason: string;
  readonly document: JsonObject;
}

/** A run that goes on in this process. Must be ended whatever happens, or nobody repairs it while the process lives. */
export interface OngoingRun {
  readonly uid: string;
  /**
   * From now on it may inject, for so long; what it injects is undone by then.
   *
   * @throws {FaultlineError} STATE_…
   */
  allow(durationMs: number): Promise<void>;
  /** Durably write down what is known by now. @throws {FaultlineError} STATE_… */
  write(document: JsonObject): Promise<void>;
  /** @throws {FaultlineError} STATE_… */
  end(end: RunEnd): Promise<void>;
}

/** A run of any time with what is known of it. */
export interface KeptRun {
  readonly record: RunRecord;
  /** null: it is too old, and forgotten. */
  readonly document: JsonObject | null;
}

export interface Runs {
  /** @param documentOf makes what is known of it at its beginning */
  begin(beginning: RunBeginning, documentOf: (uid: string) => JsonObject): Promise<OngoingRun>;
  /** The newest first. */
  list(limit: number): readonly RunRecord[];
  /** @throws {FaultlineError} RUN_NOT_FOUND */
  find(uid: string): KeptRun;
}

export function runNotFound(sentence: string): FaultlineError {
  return new FaultlineError('RUN_NOT_FOUND', sentence, {
    hint: 'faultline runs lists them; the state folder may be another one (--state-dir)',
  });
}

/** uids of injections look the same: who gives one is told so. */
function runUnknown({ store }: EngineContext, uid: string): FaultlineError {
  const name = printable(uid);
  if (!existsSync(store.file) || findInjection(store, uid) === undefined) return runNotFound(`there is no run ${name}`);
  return new FaultlineError('RUN_NOT_FOUND', `there is no run ${name}: it is an injection`, {
    hint: `faultline show ${name} tells what became of it`,
  });
}

async function begin(
  context: EngineContext,
  { name, file, blastRadius }: RunBeginning,
  documentOf: (uid: string) => JsonObject,
): Promise<OngoingRun> {
  const { store, timeline, host, actor } = context;
  const uid = randomUuid();
  const operation = beginOperation(context.self);
  try {
    const { bootId, pidNamespace, timeNamespace } = host;
    const radius = blastRadiusToJson(blastRadius);
    const run = { uid, name, file, startedAt: Date.now(), bootId, pidNamespace, timeNamespace, actor };
    const id = await timeline.write('run', () => {
      insertRun(store, { ...run, owner: operation.token, blastRadius: radius }, documentOf(uid));
      return findRun(store, uid)?.id ?? 0;
    });
    return Object.freeze<OngoingRun>({
      uid,
      allow: (durationMs) =>
        timeline.write('run', () => {
          setRunDeadline(store, id, bootTimeMs() + durationMs);
        }),
      write: (document) =>
        timeline.write('run', () => {
          writeRunDocument(store, id, document);
        }),
      end: async ({ verdict, reason, document }) => {
        try {
          await timeline.write('run', () => endRun(store, id, { endedAt: Date.now(), verdict, reason, document }));
          await writeAudit(context, { action: 'run', subject: uid, parameters: { name, file, verdict } }, undefined);
        } finally {
          operation.end();
        }
      },
    });
  } catch (error) {
    operation.end();
    throw error;
  }
}

/** The run, if it goes on. @throws {FaultlineError} INJECTION_CANCELLED */
function ongoing({ store }: EngineContext, uid: string): RunRecord {
  const run = findRun(store, uid);
  if (run !== undefined && run.verdict === null) return run;
  throw new FaultlineError('INJECTION_CANCELLED', `the run ${printable(uid)} is over`);
}

/** How long what a run injects now may last, in ms. @throws {FaultlineError} INJECTION_CANCELLED, GUARD_LIMIT */
export function restOfRunMs(context: EngineContext, uid: string): number {
  const { deadlineBootMs } = ongoing(context, uid);
  const restMs = (deadlineBootMs ?? 0) - bootTimeMs();
  if (restMs > 0) return restMs;
  throw new FaultlineError('GUARD_LIMIT', "the time of the experiment's blast radius is over", {
    hint: 'raise blastRadius.duration',
    details: { rule: 'blast-radius' },
  });
}

/**
 * Refuse what goes beyond the blast radius of the run, and count what does not. With the journal's lock held, so that
 * attacks that are made at the same time cannot exceed it together.
 *
 * @throws {FaultlineError} GUARD_LIMIT, INJECTION_CANCELLED
 */
export function admitToRun(context: EngineContext, uid: string, plan: Plan): void {
  const { id, blastRadius, touched } = ongoing(context, uid);
  restOfRunMs(context, uid);
  guardBlastRadius(plan, blastRadiusFromJson(blastRadius), touched);
  addTouched(context.store, id, countedTargets(plan));
}

export function runsOver(context: EngineContext): Runs {
  return Object.freeze<Runs>({
    begin: (beginning, documentOf) => begin(context, beginning, documentOf),
    // Where there is no journal yet there was no run; looking makes none.
    list: (limit) => (existsSync(context.store.file) ? listRuns(context.store, limit) : []),
    find: (uid) => {
      const record = existsSync(context.store.file) ? findRun(context.store, uid) : undefined;
      if (record === undefined) throw runUnknown(context, uid);
      return { record, document: runDocument(context.store, record.id) };
    },
  });
}
