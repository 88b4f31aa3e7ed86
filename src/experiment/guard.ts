import { FaultlineError } from '../base/error.ts';
import type { JsonObject } from '../base/json.ts';
import { count, listed, printable } from '../base/text.ts';
import type { LeftOut, Plan } from '../faults/fault.ts';
import type { Policy } from './policy.ts';

/** How much one attack may touch. */
export interface Limits {
  readonly maxTargets: number | undefined;
  /** Percent of the targets that the selection matched. */
  readonly maxPercent: number | undefined;
}

/** As the journal keeps them with the request, for the rounds that follow. */
export function limitsToJson({ maxTargets, maxPercent }: Limits): JsonObject {
  return { maxTargets: maxTargets ?? null, maxPercent: maxPercent ?? null };
}

export function limitsFromJson({ maxTargets, maxPercent }: JsonObject): Limits {
  return {
    maxTargets: typeof maxTargets === 'number' ? maxTargets : undefined,
    maxPercent: typeof maxPercent === 'number' ? maxPercent : undefined,
  };
}

function describe(left: LeftOut): string {
  return `${printable(left.label)} is protected by the rule "${left.rule}": ${printable(left.reason)}`;
}

function overrideHint(left: readonly LeftOut[]): string {
  const overrides = new Set(left.map((one) => one.override).filter((flag) => flag !== undefined));
  return overrides.size > 0
    ? `if you mean it, add ${[...overrides].join(' ')}`
    : 'no flag overrides this rule; name another target, or narrow the selection with --exclude';
}

/** A protected target is never hit: one that was named is refused, one that a pattern caught was left out. */
function refuseProtected(plan: Plan): void {
  const named = plan.leftOut.filter((left) => left.named);
  const refused = named.length > 0 ? named : plan.targets.length === 0 ? plan.leftOut : [];
  if (refused.length === 0) return;
  throw new FaultlineError('GUARD_PROTECTED', listed(refused.map(describe), 3), {
    hint: overrideHint(refused),
    details: { rules: [...new Set(refused.map((left) => left.rule))] },
  });
}

interface Bound {
  readonly most: number;
  readonly flag: string;
  readonly from: string;
}

/** The stricter of what the command and the host's policy allow. */
function strictest(flag: string, given: number | undefined, policy: number | undefined, file: string | undefined) {
  if (given === undefined && policy === undefined) return undefined;
  const fromPolicy = policy !== undefined && (given === undefined || policy < given);
  const bound: Bound = {
    most: fromPolicy ? policy : (given ?? 0),
    flag,
    from: fromPolicy ? `the policy ${printable(file ?? '')}` : flag,
  };
  return bound;
}

function refuseTooMany(rule: string, message: string, bound: Bound): never {
  throw new FaultlineError('GUARD_LIMIT', `the rule "${rule}" allows ${message}; set by ${bound.from}`, {
    hint: `narrow the selection (--exclude, --mode fixed --value N), or raise ${bound.from}`,
    details: { rule },
  });
}

function refuseBeyondLimits(plan: Plan, limits: Limits, policy: Policy): void {
  const uncounted = plan.targets.filter((target) => target.uncounted === true).length;
  const hit = plan.targets.length - uncounted;
  const matched = plan.matched - uncounted;
  const most = strictest('--max-targets', limits.maxTargets, policy.maxTargets, policy.file);
  if (most !== undefined && hit > most.most) {
    refuseTooMany('max-targets', `${count(most.most, 'target')}, not ${hit}`, most);
  }
  const share = strictest('--max-percent', limits.maxPercent, policy.maxPercent, policy.file);
  if (share !== undefined && hit * 100 > share.most * matched) {
    refuseTooMany('max-percent', `${share.most}% of the ${matched} matched, not ${hit}`, share);
  }
}

/**
 * Refuse a plan that this host must not suffer. Conflicts and the latched halt are looked at when the plan is
 * admitted, under the journal's lock.
 *
 * @throws {FaultlineError} GUARD_PROTECTED, GUARD_LIMIT: each names its rule and the flag that would override it
 */
export function guardPlan(plan: Plan, limits: Limits, policy: Policy): void {
  refuseProtected(plan);
  refuseBeyondLimits(plan, limits, policy);
}
