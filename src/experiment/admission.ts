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
  renameInjection,
} from '../store/injections.ts';
import { readHalt } from '../store/latches.ts';
import { findSchedule } from '../store/schedules.ts';
import type { EngineContext } from './context.ts';
import { cameToNothing, planToJson } from './injection.ts';
import type { AttackRequest } from './request.ts';
import { admitToRun } from './runs.ts';

/** What is to be admitted, and the operation that will own it. */
export interface Admission {
  readonly plan: Plan;
  readonly spec: JsonObject;
  readonly owner: JsonObject;
  readonly leaseMs: number | undefined;
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

/**
 * A uid stands for one injection. An attempt that came to nothing gives it back, so that whoever asks again with the
 * same uid is not told of a failure for ever: it is kept as `uid~1`, which no request can name.
 */
function takeUid(context: EngineContext, uid: string): void {
  if (findSchedule(context.store, uid) !== undefined) {
    throw new FaultlineError('SCHEDULE_EXISTS', `${uid} is the uid of a schedule`, {
      hint: `faultline schedule show ${uid}`,
    });
  }
  const known = findInjection(context.store, uid);
  if (known === undefined) return;
  if (cameToNothing(known)) {
    let attempt = 1;
    while (findInjection(context.store, `${uid}~${attempt}`) !== undefined) attempt++;
    renameInjection(context.store, known.id, `${uid}~${attempt}`);
    return;
  }
  throw new FaultlineError('INJECTION_EXISTS', `there is an injection ${uid} already (${known.state})`, {
    hint: `faultline show ${uid}`,
  });
}

/** Whoever undoes a uid that the journal does not know yet must not be overtaken by who asked for it before. */
function refuseUnwanted({ uid, stillWanted = () => true }: AttackRequest): void {
  if (stillWanted()) return;
  throw new FaultlineError('INJECTION_CANCELLED', `the injection ${uid} was cancelled before it began`, {
    hint: 'it was to be undone while it was still planned or waited for its turn; ask again if it is still wanted',
  });
}

/** A schedule may end while a run of it is being planned. */
function refuseEndedSchedule(context: EngineContext, uid: string | undefined): void {
  const ended = uid !== undefined && (findSchedule(context.store, uid)?.endedAt ?? null) !== null;
  if (ended) throw new FaultlineError('INJECTION_CANCELLED', `the schedule ${uid} has ended`);
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

function rowOf(
  context: EngineContext,
  request: AttackRequest,
  { plan, spec, owner, leaseMs }: Admission,
): NewInjection {
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
    leaseMs: leaseMs ?? null,
    repeatMs: plan.repeatMs ?? null,
    owner,
    actor: context.actor,
    schedule: request.schedule ?? null,
    run: request.run ?? null,
    tended: plan.tended === true,
  };
}

/**
 * The last look before anything happens, and the first durable word of it: under the journal's lock nobody can latch a
 * halt, take the uid or claim a target in between.
 *
 * @throws {FaultlineError} GUARD_HALTED, INJECTION_CANCELLED, INJECTION_EXISTS, GUARD_CONFLICT, GUARD_LIMIT, STATE_…
 */
export function admit(context: EngineContext, request: AttackRequest, admission: Admission): Promise<InjectionRecord> {
  const { plan } = admission;
  const { store, timeline } = context;
  return timeline.write('admit', (record) => {
    refuseHalted(context);
    refuseUnwanted(request);
    takeUid(context, request.uid);
    refuseEndedSchedule(context, request.schedule);
    if (!request.allowOverlap) refuseConflicts(context, plan, -1);
    if (request.run !== undefined) admitToRun(context, request.run, plan);
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
