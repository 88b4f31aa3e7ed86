import { existsSync } from 'node:fs';
import { type JsonObject, textOf, toJson } from '../base/json.ts';
import type { DeathRecord } from '../forensics/death-record.ts';
import type { Deed } from '../forensics/deed.ts';
import { type DeathQuery, findDeaths, insertDeaths, listDeaths } from '../store/deaths.ts';
import { type DeedRow, findDeeds, findDoer } from '../store/deeds.ts';
import type { Store } from '../store/store.ts';
import type { EngineContext } from './context.ts';

/** Whose death is asked about. */
export type Whom = { readonly pid: number } | { readonly name: string };

export interface OnRecord {
  /** What injections did to him. */
  readonly deeds: readonly Deed[];
  /** What was watched. */
  readonly deaths: readonly DeathRecord[];
}

/** More of one process, or of processes of one name, nobody reads. */
const most = 20;

function deedOf({ uid, kind, action, createdAt, actor, type, label, apply, outcome }: DeedRow): Deed {
  const { signal, identity } = apply;
  const pid = typeof identity === 'object' && identity !== null && 'pid' in identity ? Number(identity['pid']) : null;
  return Object.freeze({
    injection: uid,
    attack: `attack ${kind} ${action}`,
    at: createdAt,
    actor,
    pid,
    label,
    signal: typeof signal === 'number' ? signal : null,
    oom: type === 'oom-kill',
    ended: outcome?.['ended'] === true,
    seen: outcome?.['seen'] === undefined ? null : textOf(outcome['seen']),
  });
}

/** What the journal knows of somebody's death; nothing where there is no journal yet. */
export function deathsOf({ store, host }: EngineContext, who: Whom): OnRecord {
  if (!existsSync(store.file)) return { deeds: [], deaths: [] };
  const { bootId, pidNamespace } = host;
  const deeds = findDeeds(store, 'pid' in who ? { ...who, bootId, pidNamespace } : who, most);
  const deaths = findDeaths(store, 'pid' in who ? { ...who, bootId } : who, most);
  return { deeds: deeds.map(deedOf), deaths: deaths.map((record) => record as unknown as DeathRecord) };
}

/** A death with its place in the order in which deaths were written down. */
export interface KeptDeath {
  readonly id: number;
  readonly record: DeathRecord;
}

/** What is kept of deaths; nothing where there is no journal yet. */
export function keptDeaths({ store }: EngineContext, query: DeathQuery, limit: number): readonly KeptDeath[] {
  if (!existsSync(store.file)) return [];
  return listDeaths(store, query, limit).map(({ id, record }) => ({ id, record: record as unknown as DeathRecord }));
}

/**
 * Was it us? A death belongs to an injection that sent the same process the signal that ended it, or after which it
 * exited by itself, or that had the OOM killer kill it. Who only had a signal sent to him and died of another is none.
 */
function doerOf(store: Store, death: DeathRecord): string | undefined {
  const { pid, startTimeTicks, bootId, signal, end, oom } = death;
  if (startTimeTicks === null) return undefined;
  const target = { pid, startTimeTicks, bootId };
  if (oom !== null) return findDoer(store, target, null);
  const number = signal?.number ?? (end?.kind === 'signaled' ? end.signal : undefined);
  return number === undefined ? undefined : findDoer(store, target, number);
}

/** The same deaths, and to those that injections have caused their uid. */
export function attributeDeaths({ store }: EngineContext, deaths: readonly DeathRecord[]): readonly DeathRecord[] {
  if (!existsSync(store.file)) return deaths;
  return deaths.map((death) => {
    const injection = doerOf(store, death);
    return injection === undefined ? death : { ...death, injection };
  });
}

/** Keep what was seen of deaths, so that it can be asked for afterwards. The oldest are forgotten. */
export function recordDeaths({ timeline, store }: EngineContext, deaths: readonly DeathRecord[]): Promise<void> {
  return timeline.write('deaths', () => {
    const rows = deaths.map((death) => ({ ...death, record: toJson(death) as JsonObject }));
    insertDeaths(store, rows);
  });
}
