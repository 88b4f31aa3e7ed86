import { FaultlineError } from '../base/error.ts';
import type { JsonObject } from '../base/json.ts';
import { type InjectionState, worstVerdict } from '../base/lifecycle.ts';
import { count } from '../base/text.ts';
import type { Fault, Plan, TargetVerdict } from '../faults/fault.ts';
import { bootTimeMs } from '../linux/clock.ts';
import { effectsOf } from '../store/effects.ts';
import { type InjectionRecord, releaseClaims, updateInjection } from '../store/injections.ts';
import { insertVerdict } from '../store/verdicts.ts';
import { protectedProcess } from '../targets/protected.ts';
import type { Protection } from '../targets/select.ts';
import { admit, refuseHalted } from './admission.ts';
import { type AuditEntry, audited } from './audit.ts';
import type { EngineContext } from './context.ts';
import { guardPlan } from './guard.ts';
import { currentRecord, type Injection, isOpen, readInjection } from './injection.ts';
import { journalOf } from './journal.ts';
import { ensureKeeper } from './keeper-launch.ts';
import { beginOperation } from './ownership.ts';
import type { Policy } from './policy.ts';
import { rollBack } from './recovery.ts';
import type { AttackRequest } from './request.ts';
import { specOf } from './same-request.ts';
import { restOfRunMs } from './runs.ts';
import { attackShortfall } from './shortfall.ts';

/** A plan that passed the guard, and what is needed to carry it out. */
export interface PreparedAttack {
  readonly fault: Fault;
  readonly spec: JsonObject;
  readonly plan: Plan;
  /** How long it lasts at most, where it does. */
  readonly leaseMs: number | undefined;
}

/** @throws {FaultlineError} HOST_UNSUPPORTED naming what is missing and the remedy */
async function refuseUnsupported(fault: Fault, context: EngineContext): Promise<void> {
  const missing = (await fault.check(context.host)).find(({ status }) => status === 'missing');
  if (missing === undefined) return;
  throw new FaultlineError('HOST_UNSUPPORTED', `${missing.name} is missing here: ${missing.detail}`, {
    hint: missing.remedy ?? 'faultline doctor tells more',
  });
}

/** An experiment's attacks end with it, whatever becomes of who runs it. */
function leaseOf(context: EngineContext, request: AttackRequest, fault: Fault, spec: JsonObject): number | undefined {
  const { run, leaseMs } = request;
  if (run === undefined || !fault.lasts(request.action, spec)) return leaseMs;
  const restMs = restOfRunMs(context, run);
  return Math.min(leaseMs ?? restMs, restMs);
}

function refuseUselessLease(leaseMs: number | undefined, plan: Plan): void {
  if (plan.repeatMs !== undefined && leaseMs === undefined) {
    throw new FaultlineError('ARGUMENT_INVALID', '--interval needs --duration: when does it end?', {
      hint: 'add, for example, --duration 5m',
    });
  }
  if (leaseMs === undefined || plan.sustained || plan.repeatMs !== undefined) return;
  throw new FaultlineError('ARGUMENT_INVALID', '--duration means nothing here: there is nothing to undo afterwards', {
    hint: 'leave it out, or add --interval to keep on or --recover-cmd to repair',
  });
}

function refuseEmpty(plan: Plan): void {
  if (plan.targets.length > 0) return;
  const among = count(plan.matched, 'matching target');
  throw new FaultlineError('TARGET_NONE', `no target was chosen among ${among}`, {
    hint: plan.notes[0] ?? 'mode random-max-percent may choose none',
  });
}

/** The protection that this host's policy and the request ask for. */
export function protectionFor(policy: Policy, allowListed: boolean): Protection {
  return protectedProcess({ names: policy.protect, allowListed });
}

/**
 * Everything before the first write: what a dry run shows.
 *
 * @param preview it is only to be shown
 * @throws {FaultlineError} whatever is wrong with the request, the targets, the guard or the host
 */
export async function prepareAttack(
  context: EngineContext,
  request: AttackRequest,
  preview = false,
): Promise<PreparedAttack> {
  const fault = await context.descriptorOf(request.kind).load();
  const spec = await fault.parse(request.action, request.input);
  await refuseUnsupported(fault, context);
  const policy = await context.policy();
  const protection = protectionFor(policy, request.allowProtected);
  const planning = { host: context.host, site: context, protection, round: 0, preview };
  const plan = await fault.plan(request.action, spec, planning);
  guardPlan(plan, request.limits, policy);
  const leaseMs = leaseOf(context, request, fault, spec);
  refuseUselessLease(leaseMs, plan);
  refuseEmpty(plan);
  return Object.freeze({ fault, spec: specOf(request, spec), plan, leaseMs });
}

/** What an injection is once its fault has done what it could. */
function stateAfter(context: EngineContext, injection: InjectionRecord): InjectionState {
  const effects = effectsOf(context.store, injection.id);
  const applied = effects.some(({ status }) => status === 'applied' || status === 'intended');
  if (effects.some(isOpen) || (applied && injection.repeatMs !== null)) return 'injected';
  return applied ? 'unrecoverable' : 'failed';
}

/**
 * Write the verdicts and the state that follows from them, and let go of the injection.
 *
 * @param tell is given the record as it then is, inside the transaction
 */
function conclude(
  context: EngineContext,
  injection: InjectionRecord,
  verdicts: readonly TargetVerdict[],
  tell: (concluded: InjectionRecord) => void,
): Promise<void> {
  const { store, timeline } = context;
  return timeline.write('conclude', (record) => {
    for (const verdict of verdicts) {
      insertVerdict(store, injection.id, { ...verdict, phase: 'inject', round: 0 });
      record(injection, 'verdict', { target: verdict.target.label, verdict: verdict.verdict, seen: verdict.seen });
    }
    const state = stateAfter(context, injection);
    const injectedBootMs = bootTimeMs();
    const live = state === 'injected';
    if (!live) releaseClaims(store, injection.id);
    const leaseEndBootMs = live && injection.leaseMs !== null ? injectedBootMs + injection.leaseMs : null;
    const verdict = worstVerdict(verdicts.map((one) => one.verdict));
    updateInjection(store, injection.id, {
      state,
      verdict,
      injectedBootMs,
      leaseEndBootMs,
      owner: null,
      cancel: null,
      rounds: 1,
    });
    record(injection, 'injected', { verdict, leaseMs: injection.leaseMs });
    if (!live) record(injection, state);
    tell(currentRecord(context, injection));
  });
}

/** @returns the injection as it was concluded */
async function carryOut(
  context: EngineContext,
  injection: InjectionRecord,
  { fault, plan }: PreparedAttack,
  entry: AuditEntry,
): Promise<InjectionRecord> {
  const kept = injection.leaseMs !== null || injection.tended;
  const journal = journalOf(context, injection, { round: 0, cancellable: true });
  try {
    fault.getReady?.(plan, context);
    if (kept) await ensureKeeper(context);
    const verdicts = await fault.inject(plan, journal, context);
    let record: InjectionRecord | undefined;
    const concluded = (): InjectionRecord => {
      if (record === undefined) throw new Error('the injection could not be concluded');
      return record;
    };
    await Promise.all([
      journal.settled(),
      conclude(context, injection, verdicts, (ended) => (record = ended)),
      // It is not good before its keeper is.
      kept ? undefined : entry.write(() => attackShortfall({ record: concluded(), verdicts })),
    ]);
    // Once more: it may have been killed while the targets were being looked at. That it left says that all is over.
    if (kept) await ensureKeeper(context);
    return concluded();
  } catch (error) {
    await journal.settled().catch(() => undefined); // what it lacks is as good as not known, and undone as such
    await rollBack(context, injection, error);
    throw error;
  }
}

/** What the audit log keeps of a request: everything but the values that may hold a secret. */
function auditedParameters(request: AttackRequest): JsonObject {
  const { recoverCmd: ours, 'recover-cmd': chaosds, ...input } = request.input;
  const recoverCmd = ours ?? chaosds;
  return {
    kind: request.kind,
    action: request.action,
    ...input,
    ...(recoverCmd === undefined ? {} : { recoverCmd: '(given)' }),
    ...(request.leaseMs === undefined ? {} : { leaseMs: request.leaseMs }),
  };
}

/**
 * One attack from its request to its verdicts: plan, guard, admit, inject, verify, conclude. When it fails or is
 * interrupted half way, what had been done is undone before this throws.
 *
 * @returns the injection; its verdict tells whether it took effect, its state whether anything is left to undo
 * @throws {FaultlineError} when nothing was injected
 */
export async function attack(context: EngineContext, request: AttackRequest): Promise<Injection> {
  const entry = { action: 'attack', subject: request.uid, parameters: auditedParameters(request) };
  const inject = async (audit: AuditEntry): Promise<Injection> => {
    refuseHalted(context);
    const prepared = await prepareAttack(context, request);
    const operation = beginOperation(context.self);
    try {
      const injection = await admit(context, request, { ...prepared, owner: operation.token });
      return readInjection(context, await carryOut(context, injection, prepared, audit));
    } finally {
      operation.end();
    }
  };
  return audited(context, entry, inject, attackShortfall);
}
