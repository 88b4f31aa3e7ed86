import { existsSync } from 'node:fs';
import { type JsonObject, textOf, toJson } from '../base/json.ts';
import type { DeathRecord } from '../forensics/death-record.ts';
import type { Deed } from '../forensics/deed.ts';
import { findDeaths, insertDeaths } from '../store/deaths.ts';
import { type DeedRow, findDeeds } from '../store/deeds.ts';
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

/** Keep what was seen of deaths, so that it can be asked for afterwards. The oldest are forgotten. */
export function recordDeaths({ timeline, store }: EngineContext, deaths: readonly DeathRecord[]): Promise<void> {
  return timeline.write('deaths', () => {
    const rows = deaths.map((death) => ({ ...death, record: toJson(death) as JsonObject }));
    insertDeaths(store, rows);
  });
}
