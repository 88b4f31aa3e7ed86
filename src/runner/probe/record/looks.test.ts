import { expect, test } from 'vitest';
import { Looks } from './looks.ts';

test('each value of a moment is kept once, and a window has its beginning but not its end', () => {
  const looks = new Looks(false);
  for (let ms = 0; ms < 1_000; ms += 10) looks.add(ms, ms % 20 === 0 ? 'a' : 'b');
  expect(looks.between(0, 1_000).length).toBe(8);
  expect(looks.between(250, 500).map(({ value }) => value)).toEqual(['b', 'a']);
  looks.add(2_000, 1);
  expect(looks.between(1_000, 2_000)).toEqual([]);
  expect(looks.between(2_000, 2_001)).toEqual([{ atMs: 2_000, value: 1 }]);
});

test('what is added up is kept each time', () => {
  const looks = new Looks(true);
  for (let ms = 0; ms < 100; ms += 10) looks.add(ms, 3);
  expect(looks.between(0, 1_000).length).toBe(10);
});

test('texts that are all different take a bounded room; the newest stay', () => {
  const looks = new Looks(false);
  for (let index = 0; index < 1_000; index++) looks.add(index * 10, String(index).padEnd(64 * 1024, '.'));
  const kept = looks.between(0, Infinity);
  expect(kept.length).toBeLessThanOrEqual(128);
  expect(kept.at(-1)?.atMs).toBe(9_990);
});
