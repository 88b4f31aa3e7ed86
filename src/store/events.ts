import type { JsonObject } from '../base/json.ts';
import { number, object, text } from './columns.ts';
import type { Store } from './store.ts';

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
