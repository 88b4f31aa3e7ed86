import { type JsonObject, toJson } from '../../base/json.ts';
import type { Plan, TargetVerdict } from '../../faults/fault.ts';
import type { InjectionRecord } from '../../experiment/engine.ts';
import type { Sweep } from '../../experiment/halt.ts';
import type { Injection } from '../../experiment/injection.ts';
import type { Recovery } from '../../experiment/recovery.ts';
import { chaosdStatus } from '../chaosd-status.ts';

const iso = (at: number): string => new Date(at).toISOString();

/** A recover command may hold a password: lists say that there is one, `show` says which. */
export function withoutSecrets(spec: JsonObject): JsonObject {
  return typeof spec['recoverCmd'] === 'string' ? { ...spec, recoverCmd: '(given)' } : spec;
}

/** One injection without its parts, as `search` lists it. */
export function recordDocument(record: InjectionRecord): JsonObject {
  return {
    uid: record.uid,
    kind: record.kind,
    action: record.action,
    state: record.state,
    status: chaosdStatus(record.state),
    verdict: record.verdict,
    createdAt: iso(record.createdAt),
    updatedAt: iso(record.updatedAt),
    leaseMs: record.leaseMs,
    repeatMs: record.repeatMs,
    rounds: record.rounds,
    spec: withoutSecrets(record.spec),
    error: record.error,
    actor: record.actor,
  };
}

/** One injection with everything that is known of it. */
export function injectionDocument(injection: Injection, present?: readonly TargetVerdict[]): JsonObject {
  const { record, verdicts, effects, timeline } = injection;
  return {
    ...recordDocument(record),
    spec: record.spec,
    targets: toJson(verdicts),
    ...(present === undefined ? {} : { present: toJson(present) }),
    plan: record.plan,
    effects: toJson(effects),
    timeline: timeline.map(({ at, bootMs, type, data }) => ({ at: iso(at), bootMs, type, data })),
  };
}

export function planDocument(plan: Plan): JsonObject {
  return { dryRun: true, ...(toJson(plan) as JsonObject) };
}

export function recoveryDocument({ record, already, verdicts }: Recovery): JsonObject {
  return {
    uid: record.uid,
    state: record.state,
    recovered: record.state === 'recovered',
    already,
    targets: toJson(verdicts),
    error: record.error,
  };
}

export function sweepDocument({ recovered, failed }: Sweep): JsonObject {
  return {
    recovered: recovered.map(recoveryDocument),
    failed: failed.map(({ uid, error }) => ({ uid, code: error.code, message: error.message })),
  };
}
