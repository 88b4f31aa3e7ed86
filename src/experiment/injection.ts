import { type JsonObject, toJson } from '../base/json.ts';
import { isLive, mayStand } from '../base/lifecycle.ts';
import type { Effect, Plan } from '../faults/fault.ts';
import { type EffectRecord, effectsOf } from '../store/effects.ts';
import { type EventRecord, eventsOf } from '../store/events.ts';
import { findInjection, type InjectionRecord } from '../store/injections.ts';
import { type VerdictRecord, verdictsOf } from '../store/verdicts.ts';
import type { EngineContext } from './context.ts';

/** One injection with everything the journal knows of it. */
export interface Injection {
  readonly record: InjectionRecord;
  readonly effects: readonly Effect[];
  readonly verdicts: readonly VerdictRecord[];
  readonly timeline: readonly EventRecord[];
}

/** An effect that may have happened and has something that undoes it. */
export function isOpen(effect: EffectRecord | Effect): boolean {
  return effect.undo !== null && mayStand(effect.status);
}

export function readInjection(context: EngineContext, record: InjectionRecord): Injection {
  const { store } = context;
  return Object.freeze({
    record,
    effects: effectsOf(store, record.id),
    verdicts: verdictsOf(store, record.id),
    timeline: eventsOf(store, record.id),
  });
}

/** It ended without ever having been injected, and whatever it had begun is undone: it may be tried again. */
export function cameToNothing({ state, injectedBootMs }: InjectionRecord): boolean {
  return state === 'failed' || (state === 'recovered' && injectedBootMs === null);
}

/** The injection as it is in the journal now. Records are never deleted. */
export function currentRecord(context: EngineContext, injection: { readonly uid: string }): InjectionRecord {
  const record = findInjection(context.store, injection.uid);
  if (record === undefined) throw new Error(`the injection ${injection.uid} is gone from the journal`);
  return record;
}

/** Plans are plain data; the journal keeps them as JSON. */
export function planToJson(plan: Plan): JsonObject {
  return toJson(plan) as JsonObject;
}

/** A lease that has ended, or that belongs to a boot that is over. */
export function isOverdue(context: EngineContext, record: InjectionRecord, nowBootMs: number): boolean {
  if (!isLive(record.state)) return false;
  if (record.bootId !== context.host.bootId) return true;
  return record.leaseEndBootMs !== null && record.leaseEndBootMs <= nowBootMs;
}
