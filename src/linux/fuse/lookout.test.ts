import { describe, expect, test } from 'vitest';
import { Lookout } from './lookout.ts';
import { createSharedState } from './shared-state.ts';
import type { SystemCalls } from './system-calls.ts';

/** Threads that are not threads: what one does while another waits is done in its stead. */
function threads(count: number): { readonly lookouts: readonly Lookout[]; readonly woken: number[] } {
  const shared = createSharedState({ nodes: 4, descriptors: 4 });
  const woken: number[] = [];
  const calls = { write: (fd: number) => woken.push(fd) } as unknown as SystemCalls;
  const wakeFds = Array.from({ length: count }, (_, worker) => 100 + worker);
  return { lookouts: wakeFds.map((_, worker) => new Lookout({ shared, calls, worker, wakeFds })), woken };
}

const forEver = Infinity;

describe('who looks for requests', () => {
  test('is the first one to come, and only that one', () => {
    const [first, second] = threads(2).lookouts;
    expect([first?.isMine(), second?.isMine(), first?.isMine()]).toEqual([true, false, true]);
  });

  test('is whoever waits, when the first one has something else to do', () => {
    const { lookouts, woken } = threads(3);
    const [first, , third] = lookouts;
    first?.isMine();
    third?.inReserve(() => first?.passOn(), forEver);
    expect(woken).toEqual([102]);
    expect(lookouts.map((one) => one.isMine())).toEqual([false, false, true]);
  });

  test('is rather another one than the deputy', () => {
    const { lookouts, woken } = threads(3);
    const [first, second, third] = lookouts;
    first?.isMine();
    second?.inReserve(() => {
      third?.inReserve(() => first?.passOn(), forEver);
    }, forEver);
    expect(woken).toEqual([102]);
  });

  test('is the next one to come, when nobody waits', () => {
    const { lookouts, woken } = threads(2);
    const [first, second] = lookouts;
    first?.isMine();
    first?.passOn();
    expect(woken).toEqual([]);
    second?.inReserve(() => {
      throw new Error('nobody looks, and it waits');
    }, forEver);
    expect([second?.isMine(), first?.isMine()]).toEqual([true, false]);
  });

  test('is the deputy, when one request takes too long', () => {
    const [first, second] = threads(2).lookouts;
    first?.isMine();
    first?.begin();
    const waited: number[] = [];
    for (let round = 0; round < 3 && second?.isMine() === false; round += 1) {
      second.inReserve((ms) => waited.push(ms), forEver);
    }
    expect(waited).toHaveLength(1);
    expect(waited[0]).toBeLessThan(100);
    expect([second?.isMine(), first?.isMine()]).toEqual([true, false]);
    // The first one comes back some time, and must not take anything away.
    first?.end();
    first?.passOn();
    expect(second?.isMine()).toBe(true);
  });

  test('the deputy sleeps while there is nothing to do, and is woken by the next request', () => {
    const { lookouts, woken } = threads(2);
    const [first, second] = lookouts;
    first?.isMine();
    const waited: number[] = [];
    const rest = (): unknown => second?.inReserve((ms) => waited.push(ms), forEver);
    rest();
    second?.inReserve((ms) => {
      waited.push(ms);
      first?.begin();
      first?.end();
    }, forEver);
    expect(waited[1]).toBe(Infinity);
    expect(woken).toEqual([101]);
    rest();
    expect(waited[2]).toBeLessThan(100);
    expect(first?.isMine()).toBe(true);
  });

  test('whoever has something to do by itself is not kept longer', () => {
    const [first, second] = threads(2).lookouts;
    first?.isMine();
    const waited: number[] = [];
    second?.inReserve((ms) => waited.push(ms), 2);
    second?.inReserve((ms) => waited.push(ms), 2);
    expect(waited).toEqual([2, 2]);
  });
});
