import { setImmediate as yieldToOthers } from 'node:timers/promises';
import { type ChaosdStatus, chaosdStatuses, statesOf } from '../../api/chaosd-status.ts';
import { FaultlineError } from '../../base/error.ts';
import { textOf } from '../../base/json.ts';
import { printable } from '../../base/text.ts';
import type { Engine, InjectionFilter, InjectionRecord } from '../../experiment/engine.ts';
import { type ExperimentRow, experimentRow, type RunRow, runRow, scheduleRow } from './rows.ts';
import { knownSchedule } from './schedule.ts';

/** What `GET /experiments/` is asked for; chaosd itself has only `launch_mode`, the others are of its `search`. */
export interface Listing {
  readonly status: ChaosdStatus | undefined;
  readonly kind: string | undefined;
  readonly action: string | undefined;
  readonly launchMode: string | undefined;
  readonly ascending: boolean;
  readonly offset: number;
  /** No limit when undefined. */
  readonly limit: number | undefined;
}

function one(query: Readonly<Record<string, unknown>>, name: string): string | undefined {
  const value = query[name];
  if (value === undefined || value === '') return undefined;
  if (typeof value === 'string') return value;
  throw new FaultlineError('ARGUMENT_INVALID', `${name} is given more than once`, { hint: 'give one' });
}

function wholeNumber(query: Readonly<Record<string, unknown>>, name: string): number | undefined {
  const text = one(query, name);
  if (text === undefined) return undefined;
  if (/^\d{1,9}$/.test(text)) return Number(text);
  throw new FaultlineError('ARGUMENT_INVALID', `${name} "${printable(textOf(text).slice(0, 80))}" is no whole number`, {
    hint: 'write 0 or more, in digits',
  });
}

function statusIn(query: Readonly<Record<string, unknown>>): ChaosdStatus | undefined {
  const text = one(query, 'status');
  if (text === undefined) return undefined;
  const status = chaosdStatuses.find((known) => known === text);
  if (status !== undefined) return status;
  throw new FaultlineError('ARGUMENT_INVALID', `there is no status "${printable(text.slice(0, 80))}"`, {
    hint: `there is: ${chaosdStatuses.join(', ')}`,
  });
}

/** What a query asks for. Other names in it are passed over, as by chaosd. @throws {FaultlineError} ARGUMENT_INVALID */
export function readListing(query: Readonly<Record<string, unknown>>): Listing {
  const limit = wholeNumber(query, 'limit');
  return {
    status: statusIn(query),
    kind: one(query, 'kind'),
    action: one(query, 'action'),
    launchMode: one(query, 'launch_mode'),
    ascending: ['true', '1'].includes(one(query, 'asc') ?? ''),
    offset: wholeNumber(query, 'offset') ?? 0,
    // As in chaosd, 0 is no limit.
    limit: limit === 0 ? undefined : limit,
  };
}

/** How many records are read at a time: in between others get their turn, however many there are. */
const pageSize = 200;

/** All injections that a filter matches. What comes while they are read may be missed, and nothing comes twice. */
async function* injections(engine: Engine, filter: InjectionFilter): AsyncGenerator<InjectionRecord> {
  const downward = filter.ascending !== true;
  let last: number | undefined;
  for (let offset = 0; ; offset += pageSize) {
    const page = engine.list({ ...filter, offset, limit: pageSize });
    for (const record of page) {
      // A new one has moved the others on, over the end of the page.
      if (downward && last !== undefined && record.id >= last) continue;
      last = record.id;
      yield record;
    }
    if (page.length < pageSize) return;
    await yieldToOthers();
  }
}

/** Attacks that somebody asked for: those that a schedule makes are told with it. */
async function* attackRows(engine: Engine, { status, kind, ascending }: Listing): AsyncGenerator<ExperimentRow> {
  const states = status === undefined ? undefined : statesOf(status);
  if (states?.length === 0) return;
  const filter: InjectionFilter = {
    ...(states === undefined ? {} : { states }),
    ...(kind === undefined ? {} : { kind }),
    ascending,
  };
  for await (const record of injections(engine, filter)) {
    if (record.schedule === null) yield experimentRow(record);
  }
}

async function scheduleRows(engine: Engine, { status, kind, ascending }: Listing): Promise<readonly ExperimentRow[]> {
  if (status !== undefined && status !== 'scheduled' && status !== 'destroyed') return [];
  const schedules = await engine.schedules(status === undefined ? {} : { ended: status === 'destroyed' });
  const rows = schedules.map(({ record }) => scheduleRow(record)).filter((row) => (kind ?? row.kind) === row.kind);
  return ascending ? rows.reverse() : rows;
}

/** chaosd's experiments, attacks and schedules, in the order in which they were asked for. */
async function* experiments(engine: Engine, listing: Listing): AsyncGenerator<ExperimentRow> {
  const schedules = [...(await scheduleRows(engine, listing))].reverse();
  const isNext = (schedule: ExperimentRow, attack: ExperimentRow): boolean =>
    listing.ascending ? schedule.created_at <= attack.created_at : schedule.created_at >= attack.created_at;
  for await (const attack of attackRows(engine, listing)) {
    for (let next = schedules.at(-1); next !== undefined && isNext(next, attack); next = schedules.at(-1)) {
      schedules.pop();
      yield next;
    }
    yield attack;
  }
  yield* schedules.reverse();
}

/**
 * The runs of a schedule, newest first; of an attack the one that it is.
 *
 * @throws {FaultlineError} INJECTION_NOT_FOUND
 */
export async function* runsOf(engine: Engine, uid: string): AsyncGenerator<RunRow> {
  const schedule = await knownSchedule(engine, uid);
  if (schedule === undefined) {
    const { record } = engine.find(uid);
    yield runRow(record, experimentRow(record));
    return;
  }
  const experiment = scheduleRow(schedule.record);
  for await (const record of injections(engine, { schedule: uid })) yield runRow(record, experiment);
}

/** The rows that a listing asks for. */
export async function* rowsOf(engine: Engine, listing: Listing): AsyncGenerator<ExperimentRow> {
  const { action, launchMode, offset, limit = Number.POSITIVE_INFINITY } = listing;
  let seen = 0;
  for await (const row of experiments(engine, listing)) {
    if (action !== undefined && row.action !== action) continue;
    if (launchMode !== undefined && row.launch_mode !== launchMode) continue;
    seen += 1;
    if (seen > offset) yield row;
    if (seen - offset >= limit) return;
  }
}

const chunkLength = 65_536;

/** A list as JSON text, in pieces: nobody needs to hold it whole. */
export async function* jsonText(rows: AsyncIterable<object>): AsyncGenerator<string> {
  let chunk = '[';
  let separator = '';
  for await (const row of rows) {
    chunk += separator + JSON.stringify(row);
    separator = ',';
    if (chunk.length < chunkLength) continue;
    yield chunk;
    chunk = '';
  }
  yield `${chunk}]`;
}
