import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Ruling } from '../../../linux/fuse/interposer.ts';
import { fuseMethods } from '../../../linux/fuse/methods.ts';
import type { DisturbanceSpec, IoRule } from '../rule.ts';
import { createRuleBoard, type RuleBoard } from '../shared-rules.ts';
import {
  ask,
  failing,
  type OperationInput,
  operation,
  put,
  ruleOf,
  slow,
  someAttributes,
} from '../test-support/operations.ts';
import { interposerOf } from './interposer.ts';

function boardWith(...rules: readonly IoRule[]): RuleBoard {
  const board = createRuleBoard('/data');
  put(board, rules);
  return board;
}

/** Which of so many equal operations were disturbed, by number from 1. */
function hits(rule: IoRule, operations: number, input: OperationInput = {}): readonly number[] {
  const interposer = interposerOf(boardWith(rule).shared);
  return Array.from({ length: operations }, (_, index) => index + 1).filter(() => ask(interposer, input) !== undefined);
}

const upTo = (n: number): readonly number[] => Array.from({ length: n }, (_, index) => index + 1);

describe('which operations are disturbed', () => {
  it('is asked by path, as the user sees it', () => {
    const interposer = interposerOf(
      boardWith(
        ruleOf(failing, { path: '/data/wal/*' }),
        ruleOf(failing),
        ruleOf(failing, { path: '/data' }),
        ruleOf(failing, { path: '/wal/*' }),
      ).shared,
    );
    expect(interposer.interest('/wal/1')).toBe(0b0011);
    expect(interposer.interest('/other')).toBe(0b0010);
    expect(interposer.interest('/')).toBe(0b0110);
  });

  it('leaves alone what no rule fits, and does not count it', () => {
    const board = boardWith(ruleOf(failing, { path: '/data/wal/*' }));
    const interposer = interposerOf(board.shared);
    expect(ask(interposer, { path: '/other' })).toBeUndefined();
    expect(ask(interposer, { path: '/wal/1', method: 'fsync' })).toBeUndefined();
    expect(board.counts(1)).toMatchObject([{ seen: 0, matched: 0, injected: 0, recent: [] }]);
    expect(ask(interposer, { path: '/wal/1' })).toMatchObject({ errno: 5 });
    expect(board.counts(1)).toMatchObject([{ seen: 1, matched: 1, injected: 1 }]);
  });

  it('takes a rename for one of both its paths', () => {
    const rule = ruleOf(failing, { path: '/data/wal/*', methods: ['rename'] });
    expect(hits(rule, 1, { method: 'rename', path: '/a', otherPath: '/wal/a' })).toEqual([1]);
    expect(hits(rule, 1, { method: 'rename', path: '/wal/a', otherPath: '/a' })).toEqual([1]);
    expect(hits(rule, 1, { method: 'rename', path: '/a', otherPath: '/b' })).toEqual([]);
  });

  it.each<readonly [Partial<IoRule>, readonly number[]]>([
    [{}, upTo(20)],
    [{ nth: [3] }, [3]],
    [{ nth: [7, 2] }, [2, 7]],
    [{ every: 5 }, [5, 10, 15, 20]],
    [{ count: 3 }, [1, 2, 3]],
    [{ after: 18 }, [19, 20]],
    [{ after: 10, nth: [3] }, [13]],
    [{ after: 3, every: 4, count: 2 }, [7, 11]],
    [{ percent: 0 }, []],
  ])('%j of 20 operations: %j', (changes, expected) => {
    expect(hits(ruleOf(failing, changes), 20)).toEqual(expected);
  });

  it('of the bytes of a range are those that touch it', () => {
    const rule = ruleOf(failing, { offsets: { from: 4096, to: 8192 } });
    const at = (offset: number, size: number) => hits(rule, 1, { offset, size }).length;
    expect([at(0, 4096), at(0, 4097), at(8191, 1), at(8192, 1), at(0, 1e6)]).toEqual([0, 1, 1, 0, 1]);
    const open = ruleOf(failing, { offsets: { from: 4096, to: null } });
    expect(hits(open, 1, { offset: 2 ** 50, size: 1 })).toEqual([1]);
    expect(hits(open, 1, { offset: 0, size: 4096 })).toEqual([]);
  });

  it('are those of the processes and users that are named', () => {
    const of = (by: Partial<IoRule['by']>, input: OperationInput = {}) =>
      hits(ruleOf(failing, { by: { pids: [], comms: [], uids: [], ...by } }), 1, input).length;
    const { pid } = process;
    expect([of({ pids: [pid] }), of({ pids: [1, pid] }), of({ pids: [1] })]).toEqual([1, 1, 0]);
    expect([of({ uids: [0] }), of({ uids: [5] }), of({ uids: [5] }, { uid: 5 })]).toEqual([1, 0, 1]);
    expect([of({ pids: [pid], uids: [5] }), of({ pids: [pid] }, { pid: 0 })]).toEqual([0, 0]);
    expect(of({ comms: ['no-such-name'] })).toBe(0);
  });

  it('count as matched only where there is something to change', () => {
    const board = boardWith(
      ruleOf({ kind: 'mistake', filling: 'zero', maxOccurrences: 1, maxLength: 1 }),
      ruleOf({ kind: 'short', maxBytes: 100 }),
    );
    const interposer = interposerOf(board.shared);
    expect(ask(interposer, { size: 0 })).toBeUndefined();
    expect(ask(interposer, { size: 100 })?.maxBytes).toBe(Infinity);
    expect(ask(interposer, { size: 101 })?.maxBytes).toBe(100);
    expect(board.counts(1)).toMatchObject([
      { seen: 3, matched: 2 },
      { seen: 3, matched: 1 },
    ]);
  });

  it('is about so many percent, the later ones too', () => {
    const chosen = hits(ruleOf(failing, { percent: 50 }), 10_000);
    // Always the same draws: 10,000 · 50 % ± 4 standard deviations of 50.
    expect(Math.abs(chosen.length - 5000)).toBeLessThan(200);
    expect(Math.abs(chosen.filter((n) => n > 5000).length - 2500)).toBeLessThan(150);
  });

  it('follows the rules of triggers, whatever they are', () => {
    const timing = fc.record({
      after: fc.nat(10),
      nth: fc.array(fc.integer({ min: 1, max: 30 }), { maxLength: 4 }),
      every: fc.integer({ min: 1, max: 6 }),
      count: fc.option(fc.integer({ min: 1, max: 10 })),
      percent: fc.constantFrom(0, 30, 100),
    });
    fc.assert(
      fc.property(timing, (changes) => {
        const chosen = hits(ruleOf(failing, changes), 60);
        const { after, nth, every, count, percent } = changes;
        const possible = upTo(60).filter(
          (n) => n > after && (n - after) % every === 0 && (nth.length === 0 || nth.includes(n - after)),
        );
        for (const n of chosen) expect(possible).toContain(n);
        if (percent === 100) expect(chosen).toEqual(possible.slice(0, count ?? 60));
        if (percent === 0) expect(chosen).toEqual([]);
        // Fewer are the first of those that would be without a limit.
        const unlimited = hits(ruleOf(failing, { ...changes, count: null }), 60);
        expect(chosen).toEqual(unlimited.slice(0, count ?? 60));
      }),
      { numRuns: 100 },
    );
  });
});

/** What a sequence of operations gets, and the evidence, when so many workers serve it in turn. */
function played(rules: readonly IoRule[], operations: readonly OperationInput[], workers: number) {
  const board = boardWith(...rules);
  const interposers = Array.from({ length: workers }, () => interposerOf(board.shared));
  const rulings = operations.map((input, index) => {
    const ruling = ask(interposers[index % workers] ?? interposerOf(board.shared), input);
    const bytes = new Uint8Array(64).fill(0x55);
    ruling?.alterData?.(bytes, input.offset ?? 0);
    return ruling === undefined ? undefined : [ruling.delayMs, ruling.errno, ruling.maxBytes, [...bytes]];
  });
  const counts = board.counts(1).map(({ recent, ...rest }) => ({
    ...rest,
    recent: recent.map(({ time: _time, ...event }) => event),
  }));
  return { rulings, counts };
}

const someDisturbance: fc.Arbitrary<DisturbanceSpec> = fc.oneof(
  fc.constant(failing),
  fc.constant<DisturbanceSpec>({
    kind: 'errno',
    choices: [
      { errno: 5, weight: 1 },
      { errno: 28, weight: 3 },
    ],
  }),
  fc
    .constantFrom('uniform', 'normal', 'pareto')
    .map((distribution): DisturbanceSpec => ({ kind: 'latency', delayMs: 10, jitterMs: 5, distribution })),
  fc.constant<DisturbanceSpec>({ kind: 'short', maxBytes: null }),
  fc.constant<DisturbanceSpec>({ kind: 'mistake', filling: 'random', maxOccurrences: 3, maxLength: 9 }),
);

const someRule = fc
  .record({
    disturbance: someDisturbance,
    percent: fc.constantFrom(30, 100),
    every: fc.integer({ min: 1, max: 3 }),
    count: fc.option(fc.integer({ min: 1, max: 20 })),
    path: fc.constantFrom(null, '/data/a*', '/data/**'),
  })
  .map(({ disturbance, ...changes }) => ruleOf(disturbance, changes));

const someOperation: fc.Arbitrary<OperationInput> = fc.record({
  method: fc.constantFrom('read', 'write'),
  path: fc.constantFrom('/a1', '/b', '/c/d'),
  offset: fc.nat(10_000),
  size: fc.integer({ min: 1, max: 5000 }),
});

describe('the same seed and the same operations', () => {
  it('give the same faults, whether one worker serves them or four', () => {
    fc.assert(
      fc.property(
        fc.array(someRule, { minLength: 1, maxLength: 4 }),
        fc.array(someOperation, { minLength: 1, maxLength: 60 }),
        (rules, operations) => {
          const alone = played(rules, operations, 1);
          expect(played(rules, operations, 4)).toEqual(alone);
          expect(played(rules, operations, 1)).toEqual(alone);
        },
      ),
      { numRuns: 60 },
    );
  });

  it('and another seed other ones', () => {
    const of = (seed: string) => {
      const board = createRuleBoard('/data');
      put(board, [ruleOf(failing, { percent: 50 })], seed);
      const interposer = interposerOf(board.shared);
      return upTo(64).map(() => ask(interposer) !== undefined);
    };
    expect(of('a')).toEqual(of('a'));
    expect(of('a')).not.toEqual(of('b'));
  });
});

describe('several rules on one operation', () => {
  const ask1 = (...rules: readonly IoRule[]): Ruling | undefined => ask(interposerOf(boardWith(...rules).shared));

  it('add their delays, also before a failure', () => {
    expect(ask1(ruleOf(slow(5)), ruleOf(slow(7)))).toMatchObject({ delayMs: 12, errno: 0 });
    expect(ask1(ruleOf(slow(5)), ruleOf(failing), ruleOf(slow(7)))).toMatchObject({ delayMs: 12, errno: 5 });
  });

  it('fail with the first errno that fires; the others match and do nothing', () => {
    const full: DisturbanceSpec = { kind: 'errno', choices: [{ errno: 28, weight: 1 }] };
    const board = boardWith(ruleOf(full, { nth: [2] }), ruleOf(failing), ruleOf({ kind: 'short', maxBytes: 1 }));
    const interposer = interposerOf(board.shared);
    expect(ask(interposer)).toMatchObject({ errno: 5, maxBytes: Infinity });
    expect(ask(interposer)).toMatchObject({ errno: 28, maxBytes: Infinity });
    expect(board.counts(1)).toMatchObject([
      { matched: 2, injected: 1 },
      { matched: 2, injected: 1 },
      { matched: 2, injected: 0 },
    ]);
  });

  it('have the smallest limit of bytes', () => {
    const rules = [70, 30, 50].map((maxBytes) => ruleOf({ kind: 'short', maxBytes }));
    expect(ask1(...rules)).toMatchObject({ maxBytes: 30 });
  });

  it('change attributes one after the other', () => {
    const ruling = ask1(
      ruleOf({ kind: 'attributes', attr: { perm: 0o600, size: '1' } }, { methods: ['read', 'getattr'] }),
      ruleOf({ kind: 'attributes', attr: { size: '2' } }, { methods: ['read', 'getattr'] }),
    );
    // Attributes reach no read.
    expect(ruling).toBeUndefined();
    const rules = [{ perm: 0o600, size: '1' }, { size: '2' }].map((attr) =>
      ruleOf({ kind: 'attributes', attr }, { methods: ['getattr'] }),
    );
    const attributes = someAttributes();
    ask(interposerOf(boardWith(...rules).shared), { method: 'getattr' })?.alterAttributes?.(attributes);
    expect(attributes).toEqual({ ...someAttributes(), size: 2n, mode: 0o100_600 });
  });

  it('may be as many as there are bits, of all methods', () => {
    const rules = fuseMethods
      .slice(0, 31)
      .map((method) => ruleOf(slow(1), { methods: [method], path: `/data/${method}` }));
    const interposer = interposerOf(boardWith(...rules).shared);
    expect(interposer.interest('/link')).toBe(1 << 11);
    expect(interposer.interest('/setlk')).toBe(1 << 30);
    expect(ask(interposer, { method: 'setlk', path: '/setlk' })).toMatchObject({ delayMs: 1 });
  });
});

describe('rules that change', () => {
  it('are in force at the next operation, and those that stay keep their counters', () => {
    const kept = ruleOf(slow(3), { count: 3 });
    const board = boardWith(ruleOf(failing), kept);
    const interposer = interposerOf(board.shared);
    const before = interposer.generation();
    expect(ask(interposer)).toMatchObject({ errno: 5, delayMs: 3 });
    put(board, [kept]);
    expect(interposer.generation()).not.toBe(before);
    expect(ask(interposer)).toMatchObject({ errno: 0, delayMs: 3 });
    expect(board.counts(1)).toMatchObject([{ injected: 2 }]);
    put(board, [ruleOf(failing), kept, kept]);
    ask(interposer);
    expect(board.counts(1)).toMatchObject([{ injected: 1 }, { injected: 3 }, { injected: 1 }]);
    put(board, []);
    expect(ask(interposer)).toBeUndefined();
    expect(interposer.interest('/file')).toBe(0);
    expect(board.counts(1)).toEqual([]);
  });

  it('begin at nought however often they change', () => {
    const board = boardWith();
    const interposer = interposerOf(board.shared);
    for (const round of upTo(200)) {
      put(
        board,
        upTo(31).map((n) => ruleOf(slow(round * 100 + n))),
      );
      ask(interposer);
      for (const counts of board.counts(1)) expect(counts.injected).toBe(1);
    }
  });

  it('are refused when they are too long to be shared, and those before stay', () => {
    const board = boardWith(ruleOf(failing));
    const long = ruleOf(failing, { nth: upTo(300_000) });
    expect(() => put(board, [long])).toThrow('longer than');
    expect(board.counts(1)).toHaveLength(1);
    expect(ask(interposerOf(board.shared))).toMatchObject({ errno: 5 });
  });
});

describe('the last events', () => {
  it('tell what was done to which operation, the last ten', () => {
    const board = boardWith(ruleOf(failing), ruleOf(slow(5)));
    const interposer = interposerOf(board.shared);
    for (const n of upTo(25)) ask(interposer, { path: `/f${n}`, offset: n * 2 ** 33, size: n });
    const [errors, delays] = board.counts(1);
    expect(errors?.recent.map(({ path }) => path)).toEqual(upTo(10).map((n) => `/f${n + 15}`));
    expect(errors?.recent.at(-1)).toMatchObject({
      pid: process.pid,
      method: 'read',
      offset: 25 * 2 ** 33,
      size: 25,
      errno: 5,
      delayMs: 0,
      maxBytes: null,
    });
    expect(delays?.recent.at(-1)).toMatchObject({ errno: 0, delayMs: 5 });
    expect(operation().path()).toBe('/file');
  });

  it('have the end of a long path, whole characters, and names that are no UTF-8', () => {
    const board = boardWith(ruleOf(failing));
    const interposer = interposerOf(board.shared);
    const paths = [
      `/${'ä'.repeat(127)}`,
      `/x${'ä'.repeat(127)}`,
      `/${'ä'.repeat(200)}/z`,
      '/a\uDCFFb',
      `/${'€'.repeat(90)}`,
    ];
    for (const path of paths) ask(interposer, { path });
    expect(board.counts(1)[0]?.recent.map(({ path }) => path)).toEqual([
      paths[0],
      `…x${'ä'.repeat(127)}`,
      `…${'ä'.repeat(126)}/z`,
      '/a\uDCFFb',
      `…${'€'.repeat(85)}`,
    ]);
  });
});
