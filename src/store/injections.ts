import type { JsonObject } from '../base/json.ts';
import { type InjectionState, liveStates, type Verdict } from '../base/lifecycle.ts';
import { number, numberOrNull, object, objectOrNull, text, textOrNull } from './columns.ts';
import type { Parameters, Row, Store } from './store.ts';

/** One injection as the journal has it. */
export interface InjectionRecord {
  readonly id: number;
  readonly uid: string;
  readonly kind: string;
  readonly action: string;
  /** The checked request of the fault, as given. */
  readonly spec: JsonObject;
  readonly plan: JsonObject;
  readonly state: InjectionState;
  readonly verdict: Verdict | null;
  /** Wall-clock ms since 1970. */
  readonly createdAt: number;
  readonly updatedAt: number;
  /** CLOCK_BOOTTIME ms at which injecting was over. */
  readonly injectedBootMs: number | null;
  readonly bootId: string;
  /** The inode of the PID namespace in which its PIDs mean something. */
  readonly pidNamespace: number;
  /** The inode of the time namespace in which its start times and moments mean something. */
  readonly timeNamespace: number;
  readonly leaseMs: number | null;
  readonly leaseEndBootMs: number | null;
  /** Every how many ms the keeper injects again, into what has come since. */
  readonly repeatMs: number | null;
  readonly rounds: number;
  /** Why whoever works on it should stop: it was recovered or halted meanwhile. */
  readonly cancel: string | null;
  /** The process that works on it now: a {@link ProcessIdentity} as JSON. */
  readonly owner: JsonObject | null;
  readonly error: JsonObject | null;
  readonly actor: JsonObject;
  /** The uid of the schedule that it is a run of. */
  readonly schedule: string | null;
  /** Does a process of its own keep it in force, which the keeper has to watch? */
  readonly tended: boolean;
  /** The uid of the run of an experiment that it is a part of. */
  readonly run: string | null;
}

export type NewInjection = Omit<
  InjectionRecord,
  'id' | 'updatedAt' | 'verdict' | 'injectedBootMs' | 'leaseEndBootMs' | 'rounds' | 'cancel' | 'error'
>;

/** The columns that change during an injection's life. */
export interface InjectionChange {
  readonly state?: InjectionState;
  readonly verdict?: Verdict | null;
  readonly injectedBootMs?: number;
  readonly leaseEndBootMs?: number | null;
  readonly rounds?: number;
  readonly cancel?: string | null;
  readonly owner?: JsonObject | null;
  readonly error?: JsonObject | null;
}

function toRecord(row: Row): InjectionRecord {
  return Object.freeze({
    id: number(row, 'id'),
    uid: text(row, 'uid'),
    kind: text(row, 'kind'),
    action: text(row, 'action'),
    spec: object(row, 'spec'),
    plan: object(row, 'plan'),
    state: text(row, 'state') as InjectionState,
    verdict: textOrNull(row, 'verdict') as Verdict | null,
    createdAt: number(row, 'created_at'),
    updatedAt: number(row, 'updated_at'),
    injectedBootMs: numberOrNull(row, 'injected_boot_ms'),
    bootId: text(row, 'boot_id'),
    pidNamespace: number(row, 'pid_namespace'),
    timeNamespace: number(row, 'time_namespace'),
    leaseMs: numberOrNull(row, 'lease_ms'),
    leaseEndBootMs: numberOrNull(row, 'lease_end_boot_ms'),
    repeatMs: numberOrNull(row, 'repeat_ms'),
    rounds: number(row, 'rounds'),
    cancel: textOrNull(row, 'cancel'),
    owner: objectOrNull(row, 'owner'),
    error: objectOrNull(row, 'error'),
    actor: object(row, 'actor'),
    schedule: textOrNull(row, 'schedule'),
    tended: number(row, 'tended') === 1,
    run: textOrNull(row, 'run'),
  });
}

const json = (value: JsonObject | null): string | null => (value === null ? null : JSON.stringify(value));

/** @returns the new row's id */
export function insertInjection(store: Store, injection: NewInjection): number {
  return store.run(
    `INSERT INTO injection (uid, kind, action, spec, plan, state, created_at, updated_at, boot_id, pid_namespace,
       time_namespace, lease_ms, repeat_ms, owner, actor, schedule, tended, run)
     VALUES ($uid, $kind, $action, $spec, $plan, $state, $createdAt, $createdAt, $bootId, $pidNamespace,
       $timeNamespace, $leaseMs, $repeatMs, $owner, $actor, $schedule, $tended, $run)`,
    {
      uid: injection.uid,
      kind: injection.kind,
      action: injection.action,
      spec: JSON.stringify(injection.spec),
      plan: JSON.stringify(injection.plan),
      state: injection.state,
      createdAt: injection.createdAt,
      bootId: injection.bootId,
      pidNamespace: injection.pidNamespace,
      timeNamespace: injection.timeNamespace,
      leaseMs: injection.leaseMs,
      repeatMs: injection.repeatMs,
      owner: json(injection.owner),
      actor: JSON.stringify(injection.actor),
      schedule: injection.schedule,
      tended: injection.tended ? 1 : 0,
      run: injection.run,
    },
  ).lastId;
}

const changeable: Readonly<Record<keyof InjectionChange, string>> = {
  state: 'state',
  verdict: 'verdict',
  injectedBootMs: 'injected_boot_ms',
  leaseEndBootMs: 'lease_end_boot_ms',
  rounds: 'rounds',
  cancel: 'cancel',
  owner: 'owner',
  error: 'error',
};

export function updateInjection(store: Store, id: number, change: InjectionChange): void {
  const parameters: Record<string, string | number | null> = { id, now: Date.now() };
  const sets: string[] = ['updated_at = $now'];
  for (const [key, column] of Object.entries(changeable)) {
    const value = change[key as keyof InjectionChange];
    if (value === undefined) continue;
    parameters[key] = typeof value === 'object' ? json(value) : value;
    sets.push(`${column} = $${key}`);
  }
  store.run(`UPDATE injection SET ${sets.join(', ')} WHERE id = $id`, parameters);
}

/** Why whoever works on an injection should stop, if so. */
export function cancelOf(store: Store, id: number): string | null {
  const row = store.get('SELECT cancel FROM injection WHERE id = $id', { id });
  return row === undefined ? null : textOrNull(row, 'cancel');
}

/** Give an injection another uid. */
export function renameInjection(store: Store, id: number, uid: string): void {
  store.run('UPDATE injection SET uid = $uid WHERE id = $id', { id, uid });
}

export function findInjection(store: Store, uid: string): InjectionRecord | undefined {
  const row = store.get('SELECT * FROM injection WHERE uid = $uid', { uid });
  return row === undefined ? undefined : toRecord(row);
}

export function uidOf(store: Store, id: number): string | undefined {
  const row = store.get('SELECT uid FROM injection WHERE id = $id', { id });
  return row === undefined ? undefined : text(row, 'uid');
}

const liveList = liveStates.map((state) => `'${state}'`).join(', ');

/** Every injection that may still have something to undo, oldest first. */
export function liveInjections(store: Store): readonly InjectionRecord[] {
  return store.all(`SELECT * FROM injection WHERE state IN (${liveList}) ORDER BY id`).map(toRecord);
}

/** What a run has injected and may still have to be undone, oldest first. */
export function liveInjectionsOfRun(store: Store, run: string): readonly InjectionRecord[] {
  return store
    .all(`SELECT * FROM injection WHERE run = $run AND state IN (${liveList}) ORDER BY id`, { run })
    .map(toRecord);
}

/** A moment of a boot: CLOCK_BOOTTIME ms mean nothing without it. */
export interface BootMoment {
  readonly bootId: string;
  readonly bootMs: number;
}

/**
 * The live injections that something may have to be done about now, oldest first: not quite injected, of another boot,
 * with a lease that is over, to be repeated or tended. The others, which may be thousands, are not even read.
 */
export function injectionsToAttend(store: Store, { bootId, bootMs }: BootMoment): readonly InjectionRecord[] {
  const sql = `SELECT * FROM injection WHERE state IN (${liveList})
      AND (state <> 'injected' OR boot_id <> $bootId OR lease_end_boot_ms <= $bootMs OR repeat_ms IS NOT NULL
        OR tended = 1)
    ORDER BY id`;
  return store.all(sql, { bootId, bootMs }).map(toRecord);
}

/** Where PIDs and start times mean what they mean to us. */
export interface Whereabouts {
  readonly bootId: string;
  readonly pidNamespace: number;
  readonly timeNamespace: number;
}

/** What there is for a keeper to watch, but for what was made in another namespace of this boot. */
export interface WatchSummary {
  /** Live injections that end by themselves or are tended. */
  readonly count: number;
  /** When the next lease ends, in CLOCK_BOOTTIME ms. */
  readonly nextEndBootMs: number | null;
}

export function summarizeWatch(store: Store, { bootId, pidNamespace, timeNamespace }: Whereabouts): WatchSummary {
  const row = store.get(
    `SELECT count(*) AS n, min(lease_end_boot_ms) AS next FROM injection
     WHERE state IN (${liveList}) AND (lease_ms IS NOT NULL OR tended = 1)
       AND (boot_id <> $bootId OR (pid_namespace = $pidNamespace AND time_namespace = $timeNamespace))`,
    { bootId, pidNamespace, timeNamespace },
  );
  if (row === undefined) return { count: 0, nextEndBootMs: null };
  return { count: number(row, 'n'), nextEndBootMs: numberOrNull(row, 'next') };
}

export interface InjectionFilter {
  readonly states?: readonly InjectionState[];
  readonly kind?: string;
  /** Runs of this schedule only. */
  readonly schedule?: string;
  readonly ascending?: boolean;
  readonly offset?: number;
  /** No limit when absent. */
  readonly limit?: number;
}

/** What a filter asks for, as a condition of SQL with its parameters. */
function conditionOf(filter: InjectionFilter): { readonly where: string; readonly parameters: Parameters } {
  const conditions: string[] = [];
  const parameters: Record<string, string> = {};
  if (filter.states !== undefined) {
    conditions.push(`state IN (${filter.states.map((_, index) => `$state${index}`).join(', ')})`);
    for (const [index, state] of filter.states.entries()) parameters[`state${index}`] = state;
  }
  for (const column of ['kind', 'schedule'] as const) {
    const value = filter[column];
    if (value === undefined) continue;
    conditions.push(`${column} = $${column}`);
    parameters[column] = value;
  }
  return { where: conditions.length === 0 ? '' : `WHERE ${conditions.join(' AND ')}`, parameters };
}

export function listInjections(store: Store, filter: InjectionFilter): readonly InjectionRecord[] {
  const { where, parameters } = conditionOf(filter);
  const order = filter.ascending === true ? 'ASC' : 'DESC';
  const sql = `SELECT * FROM injection ${where} ORDER BY id ${order} LIMIT $limit OFFSET $offset`;
  return store.all(sql, { ...parameters, limit: filter.limit ?? -1, offset: filter.offset ?? 0 }).map(toRecord);
}

/** How many injections a filter matches, on all pages together. */
export function countInjections(store: Store, filter: InjectionFilter): number {
  const { where, parameters } = conditionOf(filter);
  const row = store.get(`SELECT count(*) AS n FROM injection ${where}`, parameters);
  return row === undefined ? 0 : number(row, 'n');
}

/** How many live injections there are of one fault in one state. */
export interface LiveTally {
  readonly kind: string;
  readonly action: string;
  readonly state: InjectionState;
  readonly count: number;
}

export function tallyLive(store: Store): readonly LiveTally[] {
  return store
    .all(
      `SELECT kind, action, state, count(*) AS n FROM injection WHERE state IN (${liveList})
       GROUP BY kind, action, state`,
    )
    .map((row) => ({
      kind: text(row, 'kind'),
      action: text(row, 'action'),
      state: text(row, 'state') as InjectionState,
      count: number(row, 'n'),
    }));
}

/** Mark targets as this injection's until it ends; they are what the guard's conflict rule looks at. */
export function claim(store: Store, id: number, keys: readonly string[]): void {
  for (const key of keys) store.run('INSERT OR IGNORE INTO claim (key, injection_id) VALUES ($key, $id)', { key, id });
}

export function releaseClaims(store: Store, id: number): void {
  store.run('DELETE FROM claim WHERE injection_id = $id', { id });
}

/** The uid of another live injection on the target, if there is one. */
export function claimedBy(store: Store, key: string, exceptId: number): string | undefined {
  const row = store.get(
    `SELECT injection.uid FROM claim JOIN injection ON injection.id = claim.injection_id
     WHERE claim.key = $key AND injection.id <> $exceptId AND injection.state IN (${liveList}) LIMIT 1`,
    { key, exceptId },
  );
  return row === undefined ? undefined : text(row, 'uid');
}
