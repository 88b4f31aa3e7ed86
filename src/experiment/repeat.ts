import { FaultlineError } from '../base/error.ts';
import type { JsonObject } from '../base/json.ts';
import { isLive } from '../base/lifecycle.ts';
import type { Fault, Plan, TargetVerdict } from '../faults/fault.ts';
import { bootTimeMs } from '../linux/clock.ts';
import { claim, findInjection, type InjectionRecord, updateInjection } from '../store/injections.ts';
import { readHalt } from '../store/latches.ts';
import { insertVerdict } from '../store/verdicts.ts';
import { refuseConflicts } from './admission.ts';
import { protectionFor } from './attack.ts';
import type { EngineContext } from './context.ts';
import { guardPlan, limitsFromJson } from './guard.ts';
import { currentRecord, isOverdue } from './injection.ts';
import { journalOf } from './journal.ts';
import { beginOperation, isOwned } from './ownership.ts';
import { admitToRun } from './runs.ts';

/** Why a round may come to nothing: nothing has come back yet, or it must not be hit. The next one may differ. */
const emptyRound = [
  'PROCESS_NOT_FOUND',
  'GUARD_PROTECTED',
  'GUARD_LIMIT',
  'GUARD_CONFLICT',
  'CGROUP_NOT_FOUND',
  'INJECTION_CANCELLED',
];

function isEmptyRound(error: unknown): boolean {
  return error instanceof FaultlineError && emptyRound.includes(error.code);
}

async function planRound(context: EngineContext, fault: Fault, injection: InjectionRecord): Promise<Plan> {
  const { action, spec, rounds } = injection;
  const policy = await context.policy();
  const protection = protectionFor(policy, spec['allowProtected'] === true);
  const planning = { host: context.host, site: context, protection, round: rounds, preview: false };
  const plan = await fault.plan(action, spec, planning);
  guardPlan(plan, limitsFromJson(spec), policy);
  return plan;
}

/**
 * Has it been undone, but for what could not be? Only a recovery that is incomplete leaves an error to what is
 * injected. What is left is tried again; nobody is to be hit any more.
 */
function isBeingUndone({ error }: InjectionRecord): boolean {
  return error !== null;
}

function ownRound(
  context: EngineContext,
  uid: string,
  plan: Plan,
  owner: JsonObject,
): Promise<InjectionRecord | undefined> {
  const { store, timeline } = context;
  return timeline.write('own', (record) => {
    const injection = findInjection(store, uid);
    if (injection === undefined || injection.state !== 'injected' || isOwned(context, injection)) return undefined;
    if (readHalt(store) !== undefined) return undefined;
    // While this round was planned, and waited for the lock, it may have been recovered, or its lease have ended.
    if (isBeingUndone(injection) || isOverdue(context, injection, bootTimeMs())) return undefined;
    if (injection.spec['allowOverlap'] !== true) refuseConflicts(context, plan, injection.id);
    if (injection.run !== null) admitToRun(context, injection.run, plan);
    claim(
      store,
      injection.id,
      plan.targets.map((target) => target.key),
    );
    updateInjection(store, injection.id, { owner, rounds: injection.rounds + 1 });
    record(injection, 'round', { round: injection.rounds, targets: plan.targets.length });
    return currentRecord(context, injection);
  });
}

/** Plan one more round and take the injection over for it. @returns undefined when there is nothing to do just now */
async function prepareRound(context: EngineContext, fault: Fault, injection: InjectionRecord, owner: JsonObject) {
  try {
    const plan = await planRound(context, fault, injection);
    const owned = plan.targets.length === 0 ? undefined : await ownRound(context, injection.uid, plan, owner);
    return owned === undefined ? undefined : { plan, owned };
  } catch (error) {
    if (isEmptyRound(error)) return undefined;
    throw error;
  }
}

function disown(context: EngineContext, injection: InjectionRecord): Promise<void> {
  return context.timeline.write('disown', () => {
    if (isLive(currentRecord(context, injection).state)) {
      updateInjection(context.store, injection.id, { owner: null, cancel: null });
    }
  });
}

/**
 * Inject once more into what has come since, as an injection with an interval asks for: plan, guard and journal as the
 * first time. A round that finds nothing writes nothing.
 */
export async function injectAgain(context: EngineContext, injection: InjectionRecord): Promise<void> {
  const fault = await context.descriptorOf(injection.kind).load();
  const operation = beginOperation(context.self);
  try {
    const prepared = await prepareRound(context, fault, injection, operation.token);
    if (prepared !== undefined) await injectRound(context, fault, prepared);
  } finally {
    operation.end();
  }
}

interface PreparedRound {
  readonly plan: Plan;
  readonly owned: InjectionRecord;
}

async function injectRound(context: EngineContext, fault: Fault, { plan, owned }: PreparedRound): Promise<void> {
  const round = owned.rounds - 1; // it counts this one already
  const journal = journalOf(context, owned, { round, cancellable: true, endBootMs: owned.leaseEndBootMs });
  try {
    const verdicts = await fault.inject(plan, journal, context);
    await Promise.all([journal.settled(), writeVerdicts(context, owned, round, verdicts)]);
  } catch (error) {
    // Cancelled by a recovery that waits for us, or by the end of the lease: whoever undoes it takes over from the
    // journal as soon as we let go.
    if (!(error instanceof FaultlineError)) throw error;
  } finally {
    await journal.settled().catch(() => undefined);
    await disown(context, owned);
  }
}

function writeVerdicts(
  context: EngineContext,
  injection: InjectionRecord,
  round: number,
  verdicts: readonly TargetVerdict[],
): Promise<void> {
  return context.timeline.write('verdicts', (record) => {
    for (const verdict of verdicts) {
      insertVerdict(context.store, injection.id, { ...verdict, phase: 'inject', round });
      record(injection, 'verdict', { target: verdict.target.label, verdict: verdict.verdict, seen: verdict.seen });
    }
  });
}

/** When an injection with an interval is due again, in CLOCK_BOOTTIME ms; undefined: never, as things stand. */
export function nextRoundBootMs(injection: InjectionRecord, lastBootMs: number | undefined): number | undefined {
  if (injection.repeatMs === null || injection.injectedBootMs === null || isBeingUndone(injection)) return undefined;
  return (lastBootMs ?? injection.injectedBootMs) + injection.repeatMs;
}
