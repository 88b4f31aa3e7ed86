import { describe, expect, test } from 'vitest';
import { NameStore } from './name-store.ts';
import { createSharedState, openSharedState } from './shared-state.ts';

const store = (): NameStore => new NameStore(createSharedState({ nodes: 64, descriptors: 8 }));
const name = (length: number, letter = 'n'): Buffer => Buffer.from(letter.repeat(length));

describe('names', () => {
  test.each([1, 15, 16, 17, 32, 33, 64, 128, 255, 256])('of %d bytes are kept as they are', (length) => {
    const names = store();
    const at = names.keep(name(length));
    expect(at).toBeGreaterThan(0);
    expect(Buffer.from(names.read(at, length))).toEqual(name(length));
    expect(names.equals(at, length, name(length))).toBe(true);
    expect(names.equals(at, length, name(length, 'm'))).toBe(false);
    expect(names.equals(at, length, name(length - 1))).toBe(false);
  });

  test('longer than any are not', () => {
    expect(store().keep(name(257))).toBe(0);
  });

  test('take the place of those that were dropped, and of no others', () => {
    const names = store();
    const first = names.keep(name(20, 'a'));
    const second = names.keep(name(20, 'b'));
    names.drop(first, 20);
    expect(names.keep(name(10, 'c'))).not.toBe(first);
    expect(names.keep(name(32, 'd'))).toBe(first);
    expect(Buffer.from(names.read(second, 20))).toEqual(name(20, 'b'));
  });

  test('are refused when there is no room, and fit again when there is', () => {
    const names = store();
    const kept: number[] = [];
    for (let at = names.keep(name(200)); at !== 0; at = names.keep(name(200))) kept.push(at);
    // 64 nodes of 32 bytes on average, less the unit that stands for no name.
    expect(kept).toHaveLength((64 * 32) / 256 - 1);
    names.drop(kept[0] ?? 0, 200);
    expect(names.keep(name(200))).toBe(kept[0]);
  });

  test('are the same to all threads', () => {
    const capacity = { nodes: 64, descriptors: 8 };
    const shared = createSharedState(capacity);
    const at = new NameStore(shared).keep(name(30));
    expect(new NameStore(openSharedState(shared.buffer, capacity)).equals(at, 30, name(30))).toBe(true);
  });
});
