import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { isDead } from './identity.ts';
import { type ProcessTable, readProcessTable } from './process-table.ts';
import { firstArguments, summaryOf, targetOf } from './target-process.ts';

describe('firstArguments', () => {
  it('keeps what fits, and cuts at a whole character', () => {
    expect(firstArguments(['a', 'bc'], 5)).toEqual(['a', 'bc']);
    expect(firstArguments(['a', 'bcd'], 5)).toEqual(['a', 'bc']);
    expect(firstArguments(['a', 'é🐘'], 8)).toEqual(['a', 'é']);
    expect(firstArguments(['ab', 'c'], 3)).toEqual(['ab']);
    expect(firstArguments([], 5)).toEqual([]);
  });

  it('is a prefix of the arguments and never longer than the limit', () => {
    fc.assert(
      fc.property(fc.array(fc.string({ unit: 'grapheme' })), fc.integer({ min: 1, max: 60 }), (argv, limit) => {
        const kept = firstArguments(argv, limit);
        const joined = kept.map((argument) => `${argument}\0`).join('');
        expect(Buffer.byteLength(joined)).toBeLessThanOrEqual(limit);
        expect(
          argv
            .map((argument) => `${argument}\0`)
            .join('')
            .startsWith(joined.slice(0, -1)),
        ).toBe(true);
      }),
    );
  });
});

describe('isDead', () => {
  it.each([
    ['R', 1, false],
    ['T', 1, false],
    ['I', 1, false],
    ['Z', 1, true],
    ['X', 1, true],
    ['Z', 2, false],
  ])('of state %s with %s threads is %s', (state, numThreads, dead) => {
    expect(isDead({ state, numThreads })).toBe(dead);
  });
});

describe('a target', () => {
  it('of this process is what Node knows of it, as plain frozen data', () => {
    const table = readProcessTable();
    const summary = summaryOf(table, process.pid);
    const target = summary && targetOf(table, summary);
    expect(target).toMatchObject({
      identity: { pid: process.pid },
      ppid: process.ppid,
      uid: process.geteuid?.(),
      kernelThread: false,
    });
    expect(target?.argv.length).toBeGreaterThan(0);
    expect(JSON.parse(JSON.stringify(target))).toEqual(target);
    for (const part of [target, target?.identity, target?.argv]) expect(Object.isFrozen(part)).toBe(true);
  });

  it('has its name as it is where the stat line escapes it', () => {
    const table = readProcessTable();
    const escaping: ProcessTable = {
      ...table,
      stat: (pid) => {
        const stat = table.stat(pid);
        return stat && { ...stat, comm: 'back\\\\slash' };
      },
      confirmedComm: () => 'back\\slash',
    };
    expect(summaryOf(escaping, process.pid)?.comm).toBe('back\\slash');
  });

  it('is absent for a PID that nobody has', () => {
    expect(summaryOf(readProcessTable(), 4_194_304)).toBeUndefined();
  });
});
