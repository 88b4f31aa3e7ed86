import { existsSync } from 'node:fs';
import { basename } from 'node:path/posix';
import { type Json, type JsonObject, textOf, toJson } from '../base/json.ts';
import { bootTimeMs } from '../linux/clock.ts';
import type { DeathRecord } from '../forensics/death-record.ts';
import type { Deed } from '../forensics/deed.ts';
import { type DeathQuery, findDeaths, insertDeaths, listDeaths } from '../store/deaths.ts';
import { type DeedRow, findDeeds, findDoer, type SentSignal } from '../store/deeds.ts';
import type { Store } from '../store/store.ts';
import { firstPidNamespace } from '../linux/procfs/namespaces.ts';
import { commOfName } from '../targets/name-match.ts';
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

const isObject = (value: Json | undefined): value is JsonObject =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

const recordOf = (record: JsonObject): DeathRecord => record as unknown as DeathRecord;

/** When a deed was seen to end its target, by the clock that started with the host. */
function endedAt({ apply, outcome }: DeedRow, bootId: string): number | null {
  const ended = outcome?.['endedBootMs'];
  const { identity } = apply;
  const isOfThisBoot = isObject(identity) && identity['bootId'] === bootId;
  if (outcome?.['ended'] !== true || typeof ended !== 'number' || !isOfThisBoot) return null;
  return Math.round(Date.now() - (bootTimeMs() - ended));
}

function deedOf(row: DeedRow, bootId: string): Deed {
  const { uid, kind, action, createdAt, actor, type, label, apply, outcome } = row;
  const { signal, identity } = apply;
  return Object.freeze({
    injection: uid,
    attack: `attack ${kind} ${action}`,
    at: createdAt,
    endedAt: endedAt(row, bootId),
    actor,
    pid: isObject(identity) && 'pid' in identity ? Number(identity['pid']) : null,
    label,
    signal: typeof signal === 'number' ? signal : null,
    oom: type === 'oom-kill',
    ended: outcome?.['ended'] === true,
    seen: outcome?.['seen'] === undefined ? null : textOf(outcome['seen']),
  });
}

/** Was it called so? The kernel's name is cut after 15 bytes; the rest is in the arguments, where they were seen. */
function isCalled({ name, argv }: DeathRecord, wanted: string): boolean {
  return name === wanted || argv === null || basename(argv[0] ?? '') === wanted;
}

/** Deaths have the numbers that the host sees; whoever asks from within another PID namespace means those of that. */
function namespaced(pidNamespace: number): { readonly pidNamespace?: number } {
  return pidNamespace === firstPidNamespace ? {} : { pidNamespace };
}

/** What the journal knows of somebody's death, the newest first; nothing where there is no journal yet. */
export function deathsOf({ store, host }: EngineContext, who: Whom): OnRecord {
  if (!existsSync(store.file)) return { deeds: [], deaths: [] };
  const { bootId, pidNamespace } = host;
  if ('pid' in who) {
    const deaths = findDeaths(store, { ...who, bootId, ...namespaced(pidNamespace) }, most);
    const deeds = findDeeds(store, { ...who, bootId, pidNamespace }, most);
    return { deeds: deeds.map((deed) => deedOf(deed, bootId)), deaths: deaths.map(recordOf) };
  }
  const name = commOfName(who.name);
  const deaths = findDeaths(store, { name }, most).map(recordOf);
  return {
    deeds: findDeeds(store, { name }, most).map((deed) => deedOf(deed, bootId)),
    deaths: deaths.filter((record) => isCalled(record, who.name)),
  };
}

/** A death with its place in the order in which deaths were written down. */
export interface KeptDeath {
  readonly id: number;
  readonly record: DeathRecord;
}

/** What is kept of deaths; nothing where there is no journal yet. */
export function keptDeaths({ store }: EngineContext, query: DeathQuery, limit: number): readonly KeptDeath[] {
  if (!existsSync(store.file)) return [];
  return listDeaths(store, query, limit).map(({ id, record }) => ({ id, record: recordOf(record) }));
}

/** The signal that ended somebody, as it was sent; null: the OOM killer's; undefined: he ended by himself. */
function deadlySignal({ bootMs, signal, end, oom }: DeathRecord): SentSignal | null | undefined {
  if (oom !== null) return null;
  if (signal !== null) return { number: signal.number, sentBootMs: bootMs - signal.beforeMs };
  return end?.kind === 'signaled' ? { number: end.signal, sentBootMs: null } : undefined;
}

/**
 * Was it us? A death belongs to an injection that sent the same process the signal that ended it, or after which it
 * exited by itself, or that had the OOM killer kill it. Who only had a signal sent to him, and died of another or of
 * the same from somebody else later, is none.
 */
function doerOf(store: Store, death: DeathRecord): string | undefined {
  const deadly = deadlySignal(death);
  if (death.startTimeTicks === null || deadly === undefined) return undefined;
  const { pid, namespaces, startTimeTicks, bootId } = death;
  // Whoever injects knows the process by the number that it has in his own PID namespace.
  for (const known of [{ namespace: firstPidNamespace, pid }, ...namespaces]) {
    const target = { pid: known.pid, pidNamespace: known.namespace, startTimeTicks, bootId };
    const injection = findDoer(store, target, deadly);
    if (injection !== undefined) return injection;
  }
  return undefined;
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
