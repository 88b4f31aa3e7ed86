import type { JsonObject } from '../base/json.ts';
import type { InjectionState } from '../base/lifecycle.ts';
import { number, numberOrNull, object, text, textOrNull } from './columns.ts';
import type { Parameters, Row, Store } from './store.ts';

/** One line of an injection's timeline. */
export interface EventRecord {
  /** Wall-clock ms since 1970. */
  readonly at: number;
  /** CLOCK_BOOTTIME ms. */
  readonly bootMs: number;
  readonly type: string;
  readonly data: JsonObject;
}

export function insertEvent(store: Store, injectionId: number | null, event: EventRecord): void {
  store.run(
    'INSERT INTO event (injection_id, at, boot_ms, type, data) VALUES ($injectionId, $at, $bootMs, $type, $data)',
    { injectionId, at: event.at, bootMs: event.bootMs, type: event.type, data: JSON.stringify(event.data) },
  );
}

/** How often something happened to an injection. */
export function countEvents(store: Store, injectionId: number, type: string): number {
  const row = store.get('SELECT count(*) AS n FROM event WHERE injection_id = $injectionId AND type = $type', {
    injectionId,
    type,
  });
  return row === undefined ? 0 : number(row, 'n');
}

export function eventsOf(store: Store, injectionId: number): readonly EventRecord[] {
  return store.all('SELECT * FROM event WHERE injection_id = $injectionId ORDER BY id', { injectionId }).map((row) =>
    Object.freeze({
      at: number(row, 'at'),
      bootMs: number(row, 'boot_ms'),
      type: text(row, 'type'),
      data: object(row, 'data'),
    }),
  );
}

/** One line of the whole journal's timeline, with the injection that it belongs to, if it belongs to one. */
export interface JournalEvent extends EventRecord {
  /**
   * Ascending in the order of the commits, and without gaps: SQLite has one writer, which gives out the number after
   * the greatest one there is; what is rolled back leaves no hole, and lines are never deleted.
   */
  readonly id: number;
  readonly uid: string | null;
  readonly kind: string | null;
  readonly action: string | null;
  /** The state that the injection has by now. */
  readonly state: InjectionState | null;
  /** Was it ever injected whole? */
  readonly injected: boolean;
}

/** Which lines are wanted; all that is given must fit. */
export interface EventFilter {
  readonly uid?: string;
  readonly kind?: string;
  readonly types?: readonly string[];
}

/** The number of the last line that was committed; 0 where there is none. */
export function lastEventId(store: Store): number {
  const row = store.get('SELECT max(id) AS id FROM event');
  return row === undefined ? 0 : (numberOrNull(row, 'id') ?? 0);
}

function toJournalEvent(row: Row): JournalEvent {
  return Object.freeze({
    id: number(row, 'id'),
    uid: textOrNull(row, 'uid'),
    kind: textOrNull(row, 'kind'),
    action: textOrNull(row, 'action'),
    state: textOrNull(row, 'state') as InjectionState | null,
    injected: row['injected_boot_ms'] !== null,
    at: number(row, 'at'),
    bootMs: number(row, 'boot_ms'),
    type: text(row, 'type'),
    data: object(row, 'data'),
  });
}

/** What a filter asks for, as a condition of SQL with its parameters. */
function conditionOf({ uid, kind, types }: EventFilter): { readonly where: string; readonly parameters: Parameters } {
  const conditions: string[] = [];
  const parameters: Record<string, string> = {};
  for (const [column, value] of Object.entries({ uid, kind })) {
    if (value === undefined) continue;
    conditions.push(`AND injection.${column} = $${column}`);
    parameters[column] = value;
  }
  if (types !== undefined) {
    conditions.push(`AND event.type IN (${types.map((_, index) => `$type${index}`).join(', ')})`);
    for (const [index, type] of types.entries()) parameters[`type${index}`] = type;
  }
  return { where: conditions.join(' '), parameters };
}

export interface EventRange {
  /** Lines after this one, */
  readonly after: number;
  /** up to this one, */
  readonly upTo: number;
  /** and no more than so many of them. */
  readonly limit: number;
}

/** Lines of the journal in their order. */
export function eventsAfter(store: Store, range: EventRange, filter: EventFilter): readonly JournalEvent[] {
  const { where, parameters } = conditionOf(filter);
  const sql = `SELECT event.*, injection.uid, injection.kind, injection.action, injection.state,
      injection.injected_boot_ms
    FROM event LEFT JOIN injection ON injection.id = event.injection_id
    WHERE event.id > $after AND event.id <= $upTo ${where} ORDER BY event.id LIMIT $limit`;
  return store.all(sql, { ...parameters, ...range }).map(toJournalEvent);
}
