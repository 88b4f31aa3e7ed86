import { FaultlineError } from '../base/error.ts';
import type { JsonObject } from '../base/json.ts';
import { printable } from '../base/text.ts';
import type { Plan } from '../faults/fault.ts';
import {
  claim,
  claimedBy,
  findInjection,
  type InjectionRecord,
  insertInjection,
  type NewInjection,
} from '../store/injections.ts';
import { readHalt } from '../store/latches.ts';
import type { EngineContext } from './context.ts';
import { planToJson } from './injection.ts';
import type { AttackRequest } from './request.ts';

/** What is to be admitted, and the operation that will own it. */
export interface Admission {
  readonly plan: Plan;
  readonly spec: JsonObject;
  readonly owner: JsonObject;
}

/** @throws {FaultlineError} GUARD_HALTED */
export function refuseHalted(context: EngineContext): void {
  const halt = readHalt(context.store);
  if (halt === undefined) return;
  throw new FaultlineError('GUARD_HALTED', `attacks are halted: ${printable(halt.reason)}`, {
    hint: 'faultline halt --release allows them again',
    details: { rule: 'halted' },
  });
}

function refuseKnownUid(context: EngineContext, uid: string): void {
  const known = findInjection(context.store, uid);
  if (known === undefined) return;
  throw new FaultlineError('INJECTION_EXISTS', `there is an injection ${uid} already (${known.state})`, {
    hint: `faultline show ${uid}`,
  });
}

/**
 * Refuse a target on which another injection is live.
 *
 * @throws {FaultlineError} GUARD_CONFLICT
 */
export function refuseConflicts(context: EngineContext, plan: Plan, exceptId: number): void {
  for (const target of plan.targets) {
    const other = claimedBy(context.store, target.key, exceptId);
    if (other === undefined) continue;
    throw new FaultlineError('GUARD_CONFLICT', `${printable(target.label)} is held by the live injection ${other}`, {
      hint: `faultline recover ${other} first, or add --allow-overlap`,
      details: { rule: 'conflict', uid: other },
    });
  }
}

function rowOf(context: EngineContext, request: AttackRequest, { plan, spec, owner }: Admission): NewInjection {
  return {
    uid: request.uid,
    kind: request.kind,
    action: request.action,
    spec,
    plan: planToJson(plan),
    state: 'injecting',
    createdAt: Date.now(),
    bootId: context.host.bootId,
    pidNamespace: context.host.pidNamespace,
    timeNamespace: context.host.timeNamespace,
    leaseMs: request.leaseMs ?? null,
    repeatMs: plan.repeatMs ?? null,
    owner,
    actor: context.actor,
  };
}

/**
 * The last look before anything happens, and the first durable word of it: under the journal's lock nobody can latch a
 * halt, take the uid or claim a target in between.
 *
 * @throws {FaultlineError} GUARD_HALTED, INJECTION_EXISTS, GUARD_CONFLICT, STATE_…
 */
export function admit(context: EngineContext, request: AttackRequest, admission: Admission): InjectionRecord {
  const { plan } = admission;
  const { store, timeline } = context;
  return timeline.write('admit', (record) => {
    refuseHalted(context);
    refuseKnownUid(context, request.uid);
    if (!request.allowOverlap) refuseConflicts(context, plan, -1);
    const id = insertInjection(store, rowOf(context, request, admission));
    claim(
      store,
      id,
      plan.targets.map((target) => target.key),
    );
    const admitted = findInjection(store, request.uid);
    if (admitted === undefined) throw new Error('an injection that was just written is not there');
    record(admitted, 'planned', { targets: plan.targets.length, matched: plan.matched });
    record(admitted, 'injecting');
    return admitted;
  });
}
