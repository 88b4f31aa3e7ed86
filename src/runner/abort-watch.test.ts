import { expect, test } from 'vitest';
import { heldUpTime } from './abort-watch.ts';

test('time at which all stood still is known for as long as it is asked about', () => {
  const heldUp = heldUpTime(0);
  expect(heldUp(250, 2_000)).toBe(0);
  expect(heldUp(600, 2_000), 'a tick that is late').toBe(0);
  expect(heldUp(4_600, 2_000)).toBe(4_000);
  expect(heldUp(4_600, 1_000), 'another condition at the same look').toBe(4_000);
  expect(heldUp(5_000, 2_000)).toBe(4_000);
  for (let nowMs = 5_250; nowMs < 6_600; nowMs += 250) heldUp(nowMs, 2_000);
  expect(heldUp(6_650, 2_000), 'that long ago').toBe(0);
});
