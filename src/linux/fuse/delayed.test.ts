import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type Delayed, DelayedRequests } from './delayed.ts';
import type { Request } from './request.ts';

/** As much of a request as the order of requests needs. */
const requestOf = (unique: number): Request => ({ uniqueLow: unique, uniqueHigh: 1 }) as Request;
const delayed = (unique: number, dueMs: number): Delayed => ({
  request: requestOf(unique),
  dueMs,
  ruling: undefined,
  nameInterest: 0,
  attempts: 0,
});
const numberOf = (unique: number): bigint => BigInt(unique) | (1n << 32n);

function takeAll(requests: DelayedRequests, nowMs: number): number[] {
  const taken: number[] = [];
  for (let next = requests.takeDue(nowMs); next !== undefined; next = requests.takeDue(nowMs)) {
    taken.push(next.request.uniqueLow);
  }
  return taken;
}

describe('requests that wait', () => {
  test('come in the order of their times, and not before', () => {
    fc.assert(
      fc.property(fc.array(fc.nat(1000)), fc.nat(1000), (times, nowMs) => {
        const requests = new DelayedRequests();
        for (const [unique, dueMs] of times.entries()) requests.add(delayed(unique, dueMs));
        const expected = times.filter((dueMs) => dueMs <= nowMs).sort((one, other) => one - other);
        expect(takeAll(requests, nowMs).map((unique) => times[unique])).toEqual(expected);
        expect(requests.size).toBe(times.length - expected.length);
      }),
    );
  });

  test('can be taken by their numbers, and then come no more', () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(fc.nat(100), fc.boolean())), (all) => {
        const requests = new DelayedRequests();
        for (const [unique, [dueMs]] of all.entries()) requests.add(delayed(unique, dueMs));
        for (const [unique, [, interrupted]] of all.entries()) {
          if (interrupted) expect(requests.takeByUnique(numberOf(unique))?.request.uniqueLow).toBe(unique);
        }
        const left = all.flatMap(([dueMs, interrupted]) => (interrupted ? [] : [dueMs]));
        expect(requests.nextDueMs()).toBe(Math.min(...left));
        expect(takeAll(requests, Infinity)).toHaveLength(left.length);
        expect(requests.takeByUnique(numberOf(0))).toBeUndefined();
      }),
    );
  });

  test('the memory of one that was interrupted may hold another one at once', () => {
    const requests = new DelayedRequests();
    const memory = { uniqueLow: 1, uniqueHigh: 1 };
    requests.add({ ...delayed(1, 10), request: memory as Request });
    requests.takeByUnique(numberOf(1));
    memory.uniqueLow = 2;
    requests.add({ ...delayed(2, 20), request: memory as Request });
    expect(requests.nextDueMs()).toBe(20);
    expect(requests.takeDue(15)).toBeUndefined();
    expect(takeAll(requests, 20)).toEqual([2]);
  });

  test('nothing waits for ever when there is nothing', () => {
    expect(new DelayedRequests().nextDueMs()).toBe(Infinity);
  });
});
