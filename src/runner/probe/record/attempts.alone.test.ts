import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { expect, test } from 'vitest';
import { Attempts } from './attempts.ts';

setFlagsFromString('--expose-gc');
const collectGarbage = runInNewContext('gc') as () => void;

/** What is in use, not what is garbage yet: twice, for some of it is freed in the background, until the next time. */
function arrayBytes(): number {
  collectGarbage();
  collectGarbage();
  return process.memoryUsage().arrayBuffers;
}

test('an hour of ten probes with 500 attempts a second fits into memory', () => {
  const before = arrayBytes();
  const attempts = new Attempts();
  for (let ms = 0; ms < 3_600_000; ms += 2) {
    // Times that are spread over many bins, as they are in truth.
    attempts.add(ms, 1 + ((ms * 7919) % 1000) / 50, false);
    if (ms % 1_000 === 0) attempts.settle(ms);
  }
  const taken = arrayBytes() - before;
  expect(attempts.summary(0, 3_600_000).total).toBe(1_800_000);
  expect(taken).toBeLessThan(16 * 1024 * 1024);
});
