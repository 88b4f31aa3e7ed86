import { chaosdStatus, type ChaosdStatus } from '../../api/chaosd-status.ts';
import { withoutSecrets } from '../../api/documents.ts';
import { type Json, type JsonObject, textOf } from '../../base/json.ts';
import { type InjectionState, isLive } from '../../base/lifecycle.ts';
import { array, integer, object, string } from '../../base/schema-types.ts';
import type { InjectionRecord, ScheduleRecord } from '../../experiment/engine.ts';
import { tellableBody } from '../../experiment/schedule/request.ts';
import { forReaders } from '../redaction.ts';

/** Through what it was asked for, in chaosd's words: its service, or its command line. */
type LaunchMode = 'svr' | 'cmd';

/** One experiment as chaosd lists it, its fields in chaosd's order. */
export interface ExperimentRow {
  readonly id: number;
  readonly uid: string;
  readonly created_at: string;
  readonly updated_at: string;
  readonly status: ChaosdStatus;
  /** Empty when nothing went wrong. */
  readonly error: string;
  readonly kind: string;
  readonly action: string;
  /** The attack as JSON text: chaosd recovers from it, clients read the configuration in it. */
  readonly recover_command: string;
  readonly launch_mode: LaunchMode;
}

const rowProperties = {
  id: integer(),
  uid: string(),
  created_at: string({ format: 'date-time' }),
  updated_at: string({ format: 'date-time' }),
  status: string({ description: 'created, success, error, scheduled or destroyed' }),
  error: string({ description: 'What went wrong; empty when nothing did' }),
  kind: string(),
  action: string(),
  recover_command: string({
    description: 'The attack as JSON text; that it has a recover command is all that is told',
  }),
  launch_mode: string({ description: 'svr: through the service; cmd: by a command' }),
};

const rowSchema = object(rowProperties, { description: 'One experiment' });
export const rowsSchema = array(rowSchema, { description: 'Experiments, the newest first' });

/** One run of an experiment as chaosd lists it; the odd name among the fields is chaosd's. */
export interface RunRow {
  readonly id: number;
  readonly uid: string;
  readonly start_at: string;
  /** The zero of Go's clock as long as it is not over. */
  readonly finished_at: string;
  readonly status: RunStatus;
  readonly error: string;
  readonly ExperimentID: number;
  readonly experiment: ExperimentRow;
}

type RunStatus = 'started' | 'success' | 'failed' | 'recovered';

export const runsSchema = array(
  object({
    id: integer(),
    uid: string(),
    start_at: string({ format: 'date-time' }),
    finished_at: string({ format: 'date-time', description: '0001-01-01T00:00:00Z as long as it is not over' }),
    status: string({ description: 'started, success, failed or recovered' }),
    error: string(),
    ExperimentID: integer(),
    experiment: rowSchema,
  }),
  { description: 'Runs, the newest first' },
);

/** How Go writes a time that was never set. */
const neverAt = '0001-01-01T00:00:00Z';

const iso = (at: number): string => new Date(at).toISOString();

function isObject(value: Json | undefined): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function errorText(error: JsonObject | null, recoverCmd: Json | undefined): string {
  const message = error?.['message'];
  return message === undefined ? '' : forReaders({ error: textOf(message) }, recoverCmd).error;
}

function errorOf({ error, spec, state }: InjectionRecord): string {
  if (error !== null) return errorText(error, spec['recoverCmd']);
  return state === 'failed' ? 'nothing took effect' : '';
}

function pidsOf({ plan }: InjectionRecord): readonly Json[] {
  const targets = plan['targets'];
  if (!Array.isArray(targets)) return [];
  return targets.flatMap((target: Json) => {
    const about = isObject(target) ? target['about'] : undefined;
    const pid = isObject(about) ? about['pid'] : undefined;
    return typeof pid === 'number' ? [pid] : [];
  });
}

/** chaosd has every field of its kind there, set or not. */
function chaosdFields(kind: string, action: string, pids: readonly Json[]): JsonObject {
  return kind === 'process' ? { process: '', signal: action === 'stop' ? 19 : 9, PIDs: pids, recoverCmd: '' } : {};
}

/** Of our own fields those that say something. */
function withoutDefaults(fields: JsonObject): JsonObject {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== null && value !== false));
}

function injectionConfiguration(record: InjectionRecord): JsonObject {
  const { kind, action, uid, leaseMs } = record;
  const { criteria, ...spec } = withoutSecrets(record.spec);
  return {
    schedule: '',
    duration: leaseMs === null ? '' : `${leaseMs}ms`,
    action,
    kind,
    uid,
    ...chaosdFields(kind, action, pidsOf(record)),
    ...withoutDefaults({ ...(isObject(criteria) ? criteria : {}), ...spec }),
  };
}

function scheduleConfiguration(record: ScheduleRecord): JsonObject {
  const { kind, action, uid, leaseMs, expression } = record;
  return {
    schedule: expression,
    duration: leaseMs === null ? '' : `${leaseMs}ms`,
    action,
    kind,
    uid,
    ...chaosdFields(kind, action, []),
    ...withoutDefaults(tellableBody(record.body)),
  };
}

function launchMode(actor: JsonObject): LaunchMode {
  return actor['via'] === 'cli' ? 'cmd' : 'svr';
}

export function experimentRow(record: InjectionRecord): ExperimentRow {
  return {
    id: record.id,
    uid: record.uid,
    created_at: iso(record.createdAt),
    updated_at: iso(record.updatedAt),
    status: chaosdStatus(record.state),
    error: errorOf(record),
    kind: record.kind,
    action: record.action,
    recover_command: JSON.stringify(injectionConfiguration(record)),
    launch_mode: launchMode(record.actor),
  };
}

/** Injections and schedules are numbered apart here; chaosd numbers all experiments together. */
const firstScheduleId = 1_000_000_000;

/** A schedule is an experiment of its own, and its runs are told with it. */
export function scheduleRow(record: ScheduleRecord): ExperimentRow {
  const { createdAt, lastRunAt, endedAt } = record;
  return {
    id: firstScheduleId + record.id,
    uid: record.uid,
    created_at: iso(createdAt),
    updated_at: iso(Math.max(createdAt, lastRunAt ?? 0, endedAt ?? 0)),
    status: endedAt === null ? 'scheduled' : 'destroyed',
    error: errorText(record.lastError, record.body['recoverCmd']),
    kind: record.kind,
    action: record.action,
    recover_command: JSON.stringify(scheduleConfiguration(record)),
    launch_mode: launchMode(record.actor),
  };
}

const runStatuses: Readonly<Record<InjectionState, RunStatus>> = {
  planned: 'started',
  injecting: 'started',
  injected: 'success',
  recovering: 'success',
  unrecoverable: 'success',
  recovered: 'recovered',
  failed: 'failed',
};

export function runRow(record: InjectionRecord, experiment: ExperimentRow): RunRow {
  return {
    id: record.id,
    uid: record.uid,
    start_at: iso(record.createdAt),
    finished_at: isLive(record.state) ? neverAt : iso(record.updatedAt),
    status: runStatuses[record.state],
    error: errorOf(record),
    ExperimentID: experiment.id,
    experiment,
  };
}
