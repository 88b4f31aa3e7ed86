import type { JsonObject } from '../base/json.ts';
import { readStat } from '../linux/procfs/stat.ts';
import { type InjectionRecord, summarizeWatch, type Whereabouts } from '../store/injections.ts';
import { currentState, identityKey, type ProcessIdentity } from '../targets/identity.ts';
import type { EngineContext } from './context.ts';

/*
 * Whoever injects, repeats or recovers an injection owns it meanwhile: one process, one operation. An owner that died
 * owns nothing, and its identity (not its PID) says whether it did. An operation that is over owns nothing either, even
 * if its last write, which would have said so, failed.
 */

let operations = 0;
const underWay = new Set<number>();

/**
 * Begin an operation: what the journal calls its owner, and how to end it.
 *
 * `end` must be called whatever happens, or nobody can take over while this process lives.
 */
export function beginOperation(self: ProcessIdentity): { readonly token: JsonObject; end(): void } {
  const operation = ++operations;
  underWay.add(operation);
  return {
    token: Object.freeze({ ...self, operation }),
    end: () => {
      underWay.delete(operation);
    },
  };
}

function processIdentity(value: JsonObject): ProcessIdentity | undefined {
  const { pid, startTimeTicks, bootId } = value;
  if (typeof pid !== 'number' || typeof startTimeTicks !== 'number' || typeof bootId !== 'string') return undefined;
  return { pid, startTimeTicks, bootId };
}

/** Is the process that this names still there? */
export function isRunning(value: JsonObject | null | undefined): boolean {
  const identity = value === null || value === undefined ? undefined : processIdentity(value);
  return identity !== undefined && currentState(identity) === 'alive';
}

/** Is it there, and not stopped? A keeper that somebody has stopped keeps nothing. */
export function isServing(value: JsonObject | undefined): boolean {
  if (value === undefined || !isRunning(value)) return false;
  return !isFrozen(value);
}

/** Is the process stopped, by a signal or a tracer? */
export function isFrozen(value: JsonObject): boolean {
  const state = readStat(Number(value['pid']))?.state;
  return state === 'T' || state === 't';
}

/**
 * Was it made on this host, since its last boot, but in another PID or time namespace? There its PIDs and start times
 * mean other processes than here.
 */
export function isElsewhere({ host }: EngineContext, { bootId, pidNamespace, timeNamespace }: Whereabouts): boolean {
  if (bootId !== host.bootId) return false;
  return pidNamespace !== host.pidNamespace || timeNamespace !== host.timeNamespace;
}

/** Is somebody at work on it? An owner of another boot or namespace is none that we could wait for. */
export function isOwned(context: EngineContext, { owner, bootId }: Pick<InjectionRecord, 'owner' | 'bootId'>): boolean {
  if (owner === null || bootId !== context.host.bootId || !isRunning(owner)) return false;
  const identity = processIdentity(owner);
  const ours = identity !== undefined && identityKey(identity) === identityKey(context.self);
  return !ours || underWay.has(Number(owner['operation']));
}

/** How many injections a keeper here has to watch: those whose processes can be told from here. */
export function injectionsToKeep(context: EngineContext): number {
  return summarizeWatch(context.store, context.host).count;
}
