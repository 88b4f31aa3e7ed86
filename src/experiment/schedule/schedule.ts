import { formatDuration } from '../../base/duration.ts';
import { FaultlineError } from '../../base/error.ts';
import { printable } from '../../base/text.ts';
import { bootTimeMs } from '../../linux/clock.ts';
import {
  findSchedule,
  listSchedules,
  type Moment,
  type ScheduleFilter,
  type ScheduleRecord,
} from '../../store/schedules.ts';
import type { EngineContext } from '../context.ts';
import { type Expression, readExpression } from './expression.ts';
import { nextTickAt, periodMs } from './timetable.ts';

/** One schedule, and when it ticks next. */
export interface Schedule {
  readonly record: ScheduleRecord;
  /** Wall-clock ms since 1970; null when it has ended, or never ticks again. */
  readonly nextAt: number | null;
  /** What whoever made it may not have meant. */
  readonly notes: readonly string[];
}

/** Now, on both clocks. */
export function momentNow({ host }: EngineContext): Moment {
  return { wallMs: Date.now(), bootMs: bootTimeMs(), clock: `${host.bootId}/${host.timeNamespace}` };
}

function scheduleNotFound(uid: string): FaultlineError {
  return new FaultlineError('SCHEDULE_NOT_FOUND', `there is no schedule ${printable(uid)}`, {
    hint: 'faultline schedule list lists them; the state folder may be another one (--state-dir)',
  });
}

/** The schedule as it is in the journal now. @throws {FaultlineError} SCHEDULE_NOT_FOUND */
export function requireSchedule(context: EngineContext, uid: string): ScheduleRecord {
  const record = findSchedule(context.store, uid);
  if (record === undefined) throw scheduleNotFound(uid);
  return record;
}

function overlapNotes({ leaseMs }: ScheduleRecord, expression: Expression, now: Moment): readonly string[] {
  const everyMs = periodMs(expression, now);
  if (everyMs === undefined || leaseMs === null || leaseMs < everyMs) return [];
  const long = `a run lasts ${formatDuration(leaseMs)} and the next tick comes after ${formatDuration(everyMs)}`;
  return [`${long}: ticks are skipped while a run is live`];
}

/** A PID means one process now; at a later tick it may be another's. */
function numberNotes({ body }: ScheduleRecord): readonly string[] {
  const { process: target } = body;
  if (typeof target !== 'string' || !/^\d+$/.test(target)) return [];
  return [`PID ${target} is looked up at each tick, and may be another process by then: a name is safer`];
}

/** With what its expression says. One that this version cannot read has no next tick. */
export async function readSchedule(context: EngineContext, record: ScheduleRecord): Promise<Schedule> {
  if (record.endedAt !== null) return Object.freeze({ record, nextAt: null, notes: [] });
  try {
    const expression = await readExpression(record.expression);
    const now = momentNow(context);
    const notes = [...overlapNotes(record, expression, now), ...numberNotes(record)];
    const nextAt = nextTickAt(expression, record.lastDue, now) ?? null;
    return Object.freeze({ record, nextAt, notes });
  } catch (error) {
    if (!(error instanceof FaultlineError)) throw error;
    return Object.freeze({ record, nextAt: null, notes: [error.message] });
  }
}

/** The newest first. */
export function readSchedules(context: EngineContext, filter: ScheduleFilter): Promise<readonly Schedule[]> {
  return Promise.all(listSchedules(context.store, filter).map((record) => readSchedule(context, record)));
}
