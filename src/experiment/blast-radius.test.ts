import { describe, expect, test } from 'vitest';
import type { Plan, PlannedTarget } from '../faults/fault.ts';
import { type BlastRadius, guardBlastRadius } from './blast-radius.ts';

function processTarget(comm: string, argv: readonly string[] = [comm]): PlannedTarget {
  return { key: `process:${comm}`, label: `pid 1 (${comm})`, does: 'SIGSTOP', about: { comm, argv } };
}

function planOf(targets: readonly PlannedTarget[], matched = targets.length): Plan {
  return { kind: 'process', action: 'stop', targets, leftOut: [], matched, sustained: true, notes: [], data: {} };
}

const one = planOf([processTarget('nginx')]);
const any: BlastRadius = { targets: 1, percent: null, processes: null };

const refusal = (message: RegExp): unknown =>
  expect.objectContaining({ code: 'GUARD_LIMIT', message: expect.stringMatching(message) });

describe('the blast radius of an experiment', () => {
  test('counts the targets of all its attacks', () => {
    expect(() => {
      guardBlastRadius(one, any, 0);
    }).not.toThrow();
    expect(() => {
      guardBlastRadius(one, any, 1);
    }).toThrow(refusal(/allows 1 target, not 1 after the 1 before/));
  });

  test('does not count what others are reached by', () => {
    const folder = { key: 'folder', label: '/data', does: 'is covered', about: {}, uncounted: true } as const;
    const both = planOf([folder, processTarget('postgres')]);
    expect(() => {
      guardBlastRadius(both, { ...any, percent: 100 }, 0);
    }).not.toThrow();
  });

  test('limits the share of what was matched', () => {
    expect(() => {
      guardBlastRadius(planOf([processTarget('nginx')], 4), { ...any, percent: 25 }, 0);
    }).not.toThrow();
    expect(() => {
      guardBlastRadius(planOf([processTarget('nginx')], 3), { ...any, percent: 25 }, 0);
    }).toThrow(refusal(/25% of the 3 matched, not 1/));
    // 0.57 * 10,000 is less than 5,700 in floating point.
    const many = Array.from({ length: 57 }, (_, index) => processTarget(`nginx-${index}`));
    expect(() => {
      guardBlastRadius(planOf(many, 10_000), { ...any, targets: 57, percent: 0.57 }, 0);
    }).not.toThrow();
    expect(() => {
      guardBlastRadius(planOf(many, 9_999), { ...any, targets: 57, percent: 0.57 }, 0);
    }).toThrow(refusal(/0.57% of the 9999 matched, not 57/));
  });

  test('allows processes by name, also by one that the kernel has cut', () => {
    const cut = planOf([processTarget('a-long-name-of-', ['/usr/bin/a-long-name-of-a-server'])]);
    const allow = (plan: Plan, name: string) => () => {
      guardBlastRadius(plan, { ...any, processes: [name] }, 0);
    };
    expect(allow(one, 'nginx')).not.toThrow();
    expect(allow(cut, 'a-long-name-of-a-server')).not.toThrow();
    expect(allow(cut, 'a-long-name-of-another')).toThrow(
      refusal(/only processes named a-long-name-of-another, not pid 1/),
    );
    expect(allow(one, 'ngin')).toThrow(refusal(/not pid 1 \(nginx\)/));
  });

  test('refuses what cannot tell whom it hits, where only some may be', () => {
    const host = planOf([{ key: 'kernel', label: 'should_failslab', does: 'fails', about: {} }]);
    expect(() => {
      guardBlastRadius(host, { ...any, processes: ['nginx'] }, 0);
    }).toThrow(refusal(/cannot tell beforehand whom it hits/));
  });
});
