import type { JsonObject } from '../base/json.ts';
import { number, object } from './columns.ts';
import type { Store } from './store.ts';

/*
 * Deaths that were watched, the last of them: what `why PID` is answered from when all else has forgotten. What a
 * record holds is for the floors above; here it has the columns by which it is found.
 */

/** A record of a death as it is kept. */
export interface DeathRow {
  /** Wall-clock ms since 1970. */
  readonly at: number;
  readonly bootId: string;
  readonly pid: number;
  readonly name: string;
  readonly record: JsonObject;
}

/** Whose deaths are wanted: a PID in one boot, as the host sees it or a PID namespace does, or a name. */
export type DeathFilter =
  | { readonly bootId: string; readonly pid: number; readonly pidNamespace?: number }
  | { readonly name: string };

/** How many are kept. */
const mostDeaths = 10_000;

/** Write deaths down and forget the oldest. Part of the caller's transaction. */
export function insertDeaths(store: Store, deaths: readonly DeathRow[]): void {
  for (const { at, bootId, pid, name, record } of deaths) {
    store.run('INSERT INTO death (at, boot_id, pid, name, record) VALUES ($at, $bootId, $pid, $name, $record)', {
      at,
      bootId,
      pid,
      name,
      record: JSON.stringify(record),
    });
  }
  store.run('DELETE FROM death WHERE id <= (SELECT max(id) FROM death) - $most', { most: mostDeaths });
}

function pidCondition({ pidNamespace }: { readonly pidNamespace?: number }): string {
  if (pidNamespace === undefined) return 'pid = $pid';
  return `EXISTS (SELECT 1 FROM json_each(record, '$.namespaces')
    WHERE json_extract(value, '$.namespace') = $pidNamespace AND json_extract(value, '$.pid') = $pid)`;
}

/** The newest first. */
export function findDeaths(store: Store, filter: DeathFilter, limit: number): readonly JsonObject[] {
  const where = 'pid' in filter ? `${pidCondition(filter)} AND boot_id = $bootId` : 'name = $name';
  const sql = `SELECT record FROM death WHERE ${where} ORDER BY id DESC LIMIT $limit`;
  return store.all(sql, { ...filter, limit }).map((row) => object(row, 'record'));
}

export interface DeathQuery {
  readonly pid?: number;
  readonly name?: string;
  /** Those that this injection has caused: its uid. */
  readonly injection?: string;
  /** Those after this one, the oldest first; without it the newest first. */
  readonly after?: number;
}

/** A record with its place in the order of deaths: ascending, and never given twice. */
export interface NumberedDeath {
  readonly id: number;
  readonly record: JsonObject;
}

export function listDeaths(store: Store, query: DeathQuery, limit: number): readonly NumberedDeath[] {
  const { pid, name, injection, after } = query;
  const conditions = [
    ...(pid === undefined ? [] : ['pid = $pid']),
    ...(name === undefined ? [] : ['name = $name']),
    ...(injection === undefined ? [] : [`json_extract(record, '$.injection') = $injection`]),
    ...(after === undefined ? [] : ['id > $after']),
  ];
  const where = conditions.length === 0 ? '' : `WHERE ${conditions.join(' AND ')}`;
  const order = after === undefined ? 'DESC' : 'ASC';
  const sql = `SELECT id, record FROM death ${where} ORDER BY id ${order} LIMIT $limit`;
  const rows = store.all(sql, {
    ...(pid === undefined ? {} : { pid }),
    ...(name === undefined ? {} : { name }),
    ...(injection === undefined ? {} : { injection }),
    ...(after === undefined ? {} : { after }),
    limit,
  });
  return rows.map((row) => ({ id: number(row, 'id'), record: object(row, 'record') }));
}
