import type { JsonObject } from '../base/json.ts';
import { number, object, text } from './columns.ts';
import type { Store } from './store.ts';

/** The latched halt: while it is there, nothing is injected. */
export interface HaltRecord {
  readonly reason: string;
  readonly actor: JsonObject;
  /** Wall-clock ms since 1970. */
  readonly at: number;
}

export function readHalt(store: Store): HaltRecord | undefined {
  const row = store.get('SELECT * FROM halt');
  if (row === undefined) return undefined;
  return Object.freeze({ reason: text(row, 'reason'), actor: object(row, 'actor'), at: number(row, 'at') });
}

export function setHalt(store: Store, halt: HaltRecord): void {
  store.run('INSERT OR REPLACE INTO halt (id, reason, actor, at) VALUES (1, $reason, $actor, $at)', {
    reason: halt.reason,
    actor: JSON.stringify(halt.actor),
    at: halt.at,
  });
}

/** @returns whether there was one */
export function clearHalt(store: Store): boolean {
  return store.run('DELETE FROM halt').changes > 0;
}

/** The keeper that watches this state folder's leases: its process identity as JSON. */
export function readKeeper(store: Store): JsonObject | undefined {
  const row = store.get('SELECT identity FROM keeper');
  return row === undefined ? undefined : object(row, 'identity');
}

export function setKeeper(store: Store, identity: JsonObject): void {
  store.run('INSERT OR REPLACE INTO keeper (id, identity) VALUES (1, $identity)', {
    identity: JSON.stringify(identity),
  });
}

export function clearKeeper(store: Store): void {
  store.run('DELETE FROM keeper');
}

/** The service that works on this state folder: its process identity as JSON, and where it answers. */
export interface ServerRecord {
  readonly identity: JsonObject;
  /** `http://127.0.0.1:31767` */
  readonly address: string;
}

export function readServer(store: Store): ServerRecord | undefined {
  const row = store.get('SELECT identity, address FROM server');
  return row === undefined ? undefined : { identity: object(row, 'identity'), address: text(row, 'address') };
}

export function setServer(store: Store, { identity, address }: ServerRecord): void {
  store.run('INSERT OR REPLACE INTO server (id, identity, address) VALUES (1, $identity, $address)', {
    identity: JSON.stringify(identity),
    address,
  });
}

export function clearServer(store: Store): void {
  store.run('DELETE FROM server');
}
