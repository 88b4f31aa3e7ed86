import type { JsonObject } from '../base/json.ts';
import type { Schedule } from '../experiment/schedule/schedule.ts';
import type { ScheduleEnd } from '../experiment/schedule/end.ts';
import { tellableBody } from '../experiment/schedule/request.ts';
import { type RecoveryDocument, recoveryDocument } from './documents.ts';

/** One schedule; what a recover command says is never told. */
export interface ScheduleDocument {
  readonly uid: string;
  readonly kind: string;
  readonly action: string;
  /** As it was given: five fields of cron, or `@every 10s`. */
  readonly schedule: string;
  /** How long each run lasts. */
  readonly durationMs: number | null;
  readonly createdAt: string;
  readonly endedAt: string | null;
  readonly nextRunAt: string | null;
  readonly lastRunAt: string | null;
  /** The uid of the newest run, which is an injection of its own. */
  readonly lastRun: string | null;
  /** Ticks that began a run, whatever came of it. */
  readonly runs: number;
  /** Ticks that began none: the last run was live, or attacks were halted. */
  readonly skipped: number;
  /** Runs that did not do what was asked. */
  readonly failed: number;
  readonly lastError: JsonObject | null;
  /** What each run does: the body of an attack. */
  readonly request: JsonObject;
  readonly actor: JsonObject;
  /** What whoever made it may not have meant. */
  readonly notes: readonly string[];
}

export interface ScheduleEndDocument {
  readonly uid: string;
  readonly ended: true;
  /** It had ended before. */
  readonly already: boolean;
  /** What became of its live run; null when none was live. */
  readonly recovered: RecoveryDocument | null;
}

const isoOrNull = (at: number | null): string | null => (at === null ? null : new Date(at).toISOString());

export function scheduleDocument({ record, nextAt, notes }: Schedule): ScheduleDocument {
  return {
    uid: record.uid,
    kind: record.kind,
    action: record.action,
    schedule: record.expression,
    durationMs: record.leaseMs,
    createdAt: new Date(record.createdAt).toISOString(),
    endedAt: isoOrNull(record.endedAt),
    nextRunAt: isoOrNull(nextAt),
    lastRunAt: isoOrNull(record.lastRunAt),
    lastRun: record.lastRun,
    runs: record.runs,
    skipped: record.skipped,
    failed: record.failed,
    lastError: record.lastError,
    request: tellableBody(record.body),
    actor: record.actor,
    notes,
  };
}

export function scheduleEndDocument({ uid, already, recovery }: ScheduleEnd): ScheduleEndDocument {
  return { uid, ended: true, already, recovered: recovery === undefined ? null : recoveryDocument(recovery) };
}
