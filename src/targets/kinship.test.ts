import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ancestorsOf, descendantsOf } from './kinship.ts';
import { type ProcessTable, readProcessTable } from './process-table.ts';

/** A table from PID to parent. Inconsistent ones are the point: /proc is read one process after the other. */
function family(parents: Readonly<Record<number, number>>): ProcessTable {
  const unknown = () => undefined;
  const stat = (pid: number) => {
    const ppid = parents[pid];
    if (ppid === undefined) return undefined;
    const rest = { comm: 'x', state: 'S', pgrp: pid, session: pid, ttyNr: 0, flags: 0, numThreads: 1, exitCode: 0 };
    return { pid, ppid, startTimeTicks: pid, ...rest };
  };
  const pids = () => Object.keys(parents).map(Number);
  return { pids, comm: unknown, confirmedComm: unknown, stat, status: unknown, argv: unknown };
}

const tree = family({ 1: 0, 2: 1, 3: 2, 4: 3, 5: 2, 6: 1, 7: 6 });

describe('ancestorsOf', () => {
  it('goes up to the first process', () => {
    expect([...ancestorsOf(tree, 4)]).toEqual([3, 2, 1]);
    expect([...ancestorsOf(tree, 1)]).toEqual([]);
    expect([...ancestorsOf(tree, 99)]).toEqual([]);
  });

  it('keeps a parent that vanished, and stops there', () => {
    expect([...ancestorsOf(family({ 4: 3 }), 4)]).toEqual([3]);
  });

  it('finds the real ancestors of this process', () => {
    const ancestors = ancestorsOf(readProcessTable(), process.pid);
    expect(ancestors.has(process.ppid)).toBe(true);
    expect(ancestors.has(process.pid)).toBe(false);
  });
});

describe('descendantsOf', () => {
  it('goes down through all generations, without those it began with', () => {
    expect(descendantsOf(tree, [2])).toEqual(new Set([3, 4, 5]));
    expect(descendantsOf(tree, [2, 3])).toEqual(new Set([4, 5]));
    expect(descendantsOf(tree, [4, 6])).toEqual(new Set([7]));
    expect(descendantsOf(tree, [99])).toEqual(new Set());
    expect(descendantsOf(tree, [])).toEqual(new Set());
  });
});

describe('both', () => {
  it('come to an end on any table, circles included, and are each other turned round', () => {
    const pid = fc.integer({ min: 1, max: 12 });
    const parents = fc.dictionary(pid.map(String), fc.integer({ min: 0, max: 12 }));
    fc.assert(
      fc.property(parents, pid, (entries, one) => {
        const table = family(entries);
        const descendants = descendantsOf(table, [one]);
        expect(ancestorsOf(table, one).has(one)).toBe(false);
        expect(descendants.has(one)).toBe(false);
        for (const other of table.pids()) {
          expect(descendants.has(other)).toBe(other !== one && ancestorsOf(table, other).has(one));
        }
      }),
      { numRuns: 500 },
    );
  });
});
