import type { JsonObject } from '../base/json.ts';
import { number, numberOrNull, object, objectOrNull, text, textOrNull } from './columns.ts';
import type { Row, Store } from './store.ts';

/** One moment on both clocks. */
export interface Moment {
  /** Wall-clock ms since 1970. */
  readonly wallMs: number;
  /** CLOCK_BOOTTIME ms. */
  readonly bootMs: number;
  /** The boot and the time namespace in which `bootMs` means something. */
  readonly clock: string;
}

/** One schedule as the journal has it. */
export interface ScheduleRecord {
  readonly id: number;
  readonly uid: string;
  readonly kind: string;
  readonly action: string;
  /** As it was given: five fields of cron, or `@every 10s`. */
  readonly expression: string;
  /** What each run is to do: the flat body of an attack without its uid. */
  readonly body: JsonObject;
  readonly leaseMs: number | null;
  /** Wall-clock ms since 1970. */
  readonly createdAt: number;
  readonly actor: JsonObject;
  readonly endedAt: number | null;
  /** The tick that was taken or skipped last; before the first one, the moment from which ticks are counted. */
  readonly lastDue: Moment;
  /** Ticks that began a run, whatever came of it. */
  readonly runs: number;
  readonly skipped: number;
  /** Runs that did not do what was asked. */
  readonly failed: number;
  readonly lastError: JsonObject | null;
  /** The uid of the newest run. */
  readonly lastRun: string | null;
  readonly lastRunAt: number | null;
  /** The run that was begun and whose end is not written yet. */
  readonly underWay: string | null;
}

export type NewSchedule = Pick<
  ScheduleRecord,
  'uid' | 'kind' | 'action' | 'expression' | 'body' | 'leaseMs' | 'createdAt' | 'actor' | 'lastDue'
>;

function toRecord(row: Row): ScheduleRecord {
  return Object.freeze({
    id: number(row, 'id'),
    uid: text(row, 'uid'),
    kind: text(row, 'kind'),
    action: text(row, 'action'),
    expression: text(row, 'expression'),
    body: object(row, 'body'),
    leaseMs: numberOrNull(row, 'lease_ms'),
    createdAt: number(row, 'created_at'),
    actor: object(row, 'actor'),
    endedAt: numberOrNull(row, 'ended_at'),
    lastDue: Object.freeze({
      wallMs: number(row, 'last_due_at'),
      bootMs: number(row, 'last_due_boot_ms'),
      clock: text(row, 'clock'),
    }),
    runs: number(row, 'runs'),
    skipped: number(row, 'skipped'),
    failed: number(row, 'failed'),
    lastError: objectOrNull(row, 'last_error'),
    lastRun: textOrNull(row, 'last_run'),
    lastRunAt: numberOrNull(row, 'last_run_at'),
    underWay: textOrNull(row, 'under_way'),
  });
}

const momentParameters = ({ wallMs, bootMs, clock }: Moment) => ({ wallMs, bootMs, clock });

export function insertSchedule(store: Store, schedule: NewSchedule): void {
  store.run(
    `INSERT INTO schedule (uid, kind, action, expression, body, lease_ms, created_at, actor, last_due_at,
       last_due_boot_ms, clock)
     VALUES ($uid, $kind, $action, $expression, $body, $leaseMs, $createdAt, $actor, $wallMs, $bootMs, $clock)`,
    {
      uid: schedule.uid,
      kind: schedule.kind,
      action: schedule.action,
      expression: schedule.expression,
      body: JSON.stringify(schedule.body),
      leaseMs: schedule.leaseMs,
      createdAt: schedule.createdAt,
      actor: JSON.stringify(schedule.actor),
      ...momentParameters(schedule.lastDue),
    },
  );
}

export function findSchedule(store: Store, uid: string): ScheduleRecord | undefined {
  const row = store.get('SELECT * FROM schedule WHERE uid = $uid', { uid });
  return row === undefined ? undefined : toRecord(row);
}

/** Every schedule that has not ended, oldest first. */
export function activeSchedules(store: Store): readonly ScheduleRecord[] {
  return store.all('SELECT * FROM schedule WHERE ended_at IS NULL ORDER BY id').map(toRecord);
}

export interface ScheduleFilter {
  /** Only those that have ended, or only those that have not. */
  readonly ended?: boolean;
  readonly offset?: number;
  /** No limit when absent. */
  readonly limit?: number;
}

function whereOf({ ended }: ScheduleFilter): string {
  return ended === undefined ? '' : `WHERE ended_at IS ${ended ? 'NOT ' : ''}NULL`;
}

/** The newest first. */
export function listSchedules(store: Store, filter: ScheduleFilter): readonly ScheduleRecord[] {
  const sql = `SELECT * FROM schedule ${whereOf(filter)} ORDER BY id DESC LIMIT $limit OFFSET $offset`;
  return store.all(sql, { limit: filter.limit ?? -1, offset: filter.offset ?? 0 }).map(toRecord);
}

/** How many a filter matches, on all pages together. */
export function countSchedules(store: Store, filter: ScheduleFilter): number {
  const row = store.get(`SELECT count(*) AS n FROM schedule ${whereOf(filter)}`);
  return row === undefined ? 0 : number(row, 'n');
}

export function endScheduleRow(store: Store, id: number, at: number): void {
  store.run('UPDATE schedule SET ended_at = $at WHERE id = $id', { id, at });
}

const setDue = 'last_due_at = $wallMs, last_due_boot_ms = $bootMs, clock = $clock';

/** Count the next ticks from another moment, because a clock was set or the host was booted again. */
export function moveLastDue(store: Store, id: number, lastDue: Moment): void {
  store.run(`UPDATE schedule SET ${setDue} WHERE id = $id`, { id, ...momentParameters(lastDue) });
}

/** The tick begins a run. */
export function takeTick(
  store: Store,
  id: number,
  due: Moment,
  run: { readonly uid: string; readonly at: number },
): void {
  store.run(
    `UPDATE schedule SET ${setDue}, runs = runs + 1, last_run = $run, last_run_at = $at, under_way = $run
     WHERE id = $id`,
    { id, ...momentParameters(due), run: run.uid, at: run.at },
  );
}

export function skipTick(store: Store, id: number, due: Moment): void {
  store.run(`UPDATE schedule SET ${setDue}, skipped = skipped + 1 WHERE id = $id`, { id, ...momentParameters(due) });
}

/**
 * The run that was under way is over.
 *
 * @param error why it failed, if it did
 * @returns whether it had not been settled before
 */
export function settleRun(store: Store, id: number, run: string, error: JsonObject | null): boolean {
  const settled = store.run('UPDATE schedule SET under_way = NULL WHERE id = $id AND under_way = $run', { id, run });
  if (settled.changes === 0) return false;
  if (error !== null) {
    store.run('UPDATE schedule SET failed = failed + 1, last_error = $error WHERE id = $id', {
      id,
      error: JSON.stringify(error),
    });
  }
  return true;
}

/** What the ticks of all schedules that ever were have come to. */
export interface ScheduleTally {
  readonly runs: number;
  readonly skipped: number;
  readonly failed: number;
}

export function tallySchedules(store: Store): ScheduleTally {
  const row = store.get('SELECT sum(runs) AS runs, sum(skipped) AS skipped, sum(failed) AS failed FROM schedule');
  const sum = (column: string): number => (row === undefined ? 0 : (numberOrNull(row, column) ?? 0));
  return { runs: sum('runs'), skipped: sum('skipped'), failed: sum('failed') };
}
