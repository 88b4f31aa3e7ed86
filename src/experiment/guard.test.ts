import { describe, expect, test } from 'vitest';
import type { LeftOut, Plan, PlannedTarget } from '../faults/fault.ts';
import { guardPlan } from './guard.ts';
import type { Policy } from './policy.ts';

const noPolicy: Policy = { file: undefined, protect: [], maxTargets: undefined, maxPercent: undefined };
const noLimits = { maxTargets: undefined, maxPercent: undefined };

function target(number: number): PlannedTarget {
  return { key: `process:${number}:1`, label: `pid ${number} (x)`, does: 'SIGKILL', about: {} };
}

function leftOut(rule: string, extra: Partial<LeftOut> = {}): LeftOut {
  return { key: 'process:7:1', label: `pid 7 (${rule})`, rule, reason: 'it is', named: false, ...extra };
}

function plan(targets: number, matched: number, left: readonly LeftOut[] = []): Plan {
  return {
    kind: 'process',
    action: 'kill',
    targets: Array.from({ length: targets }, (_, index) => target(index + 100)),
    leftOut: left,
    matched,
    sustained: false,
    notes: [],
    data: {},
  };
}

describe('guardPlan', () => {
  test('a protected target that was named is refused, with its rule', () => {
    const attempt = () => guardPlan(plan(1, 2, [leftOut('sshd', { named: true })]), noLimits, noPolicy);
    expect(attempt).toThrow(
      expect.objectContaining({ code: 'GUARD_PROTECTED', message: expect.stringContaining('"sshd"') }),
    );
  });

  test('one that a pattern caught is left out; if nothing else is left, that is refused', () => {
    expect(() => guardPlan(plan(1, 2, [leftOut('ancestor')]), noLimits, noPolicy)).not.toThrow();
    expect(() => guardPlan(plan(0, 1, [leftOut('ancestor')]), noLimits, noPolicy)).toThrow(/rule "ancestor"/);
  });

  test('the hint names the flag that overrides, where there is one', () => {
    const allowed = leftOut('sshd', { named: true, override: '--allow-protected' });
    expect(() => guardPlan(plan(0, 1, [allowed]), noLimits, noPolicy)).toThrow(
      expect.objectContaining({ hint: expect.stringContaining('--allow-protected') }),
    );
    expect(() => guardPlan(plan(0, 1, [leftOut('pid-1', { named: true })]), noLimits, noPolicy)).toThrow(
      expect.objectContaining({ hint: expect.stringContaining('no flag overrides') }),
    );
  });

  test.each([
    [3, 3, true],
    [4, 3, false],
  ])('%d targets with --max-targets %d', (hit, maxTargets, passes) => {
    const attempt = () => guardPlan(plan(hit, 10), { ...noLimits, maxTargets }, noPolicy);
    if (passes) expect(attempt).not.toThrow();
    else expect(attempt).toThrow(expect.objectContaining({ code: 'GUARD_LIMIT', details: { rule: 'max-targets' } }));
  });

  test.each([
    [3, 10, 30, true],
    [1, 3, 33, false],
    [1, 3, 34, true],
  ])('%d of %d with --max-percent %d', (hit, matched, maxPercent, passes) => {
    const attempt = () => guardPlan(plan(hit, matched), { ...noLimits, maxPercent }, noPolicy);
    if (passes) expect(attempt).not.toThrow();
    else expect(attempt).toThrow(/rule "max-percent"/);
  });

  test("a flag may be stricter than the host's policy, never laxer", () => {
    const policy: Policy = { ...noPolicy, file: '/etc/faultline/policy.yaml', maxTargets: 2 };
    expect(() => guardPlan(plan(3, 9), { ...noLimits, maxTargets: 100 }, policy)).toThrow(/policy\.yaml/);
    expect(() => guardPlan(plan(2, 9), { ...noLimits, maxTargets: 1 }, policy)).toThrow(/--max-targets/);
  });
});
