import { readFileSync } from 'node:fs';
import { beforeEach, inject } from 'vitest';
import { watchStolenTime } from '../support/stolen-time.ts';

/*
 * Runs in each process that runs tests with real processes. What those see depends on real time: a test that fails
 * while the machine stood still is tried once more, and the run of tests tells of it. Any other failure is one.
 */

/** For how long the machine must have stood still, in ms: less is not noted. */
const leastMs = 250;

/** Or which share of its processors' time must have been given to other machines. */
const leastStolen = 0.1;

/** Who notes hold-ups was held up as well, and may go on later than a test, in ms. */
const notedMs = 250;

/** @returns for how long in all the machine has stood still since, in ms */
function heldUpMsSince(sinceMs: number): number {
  const lines = readFileSync(inject('holdUpsFile'), 'utf8').split('\n').slice(0, -1);
  const holdUps = lines.map((line) => line.split(' ').map(Number));
  return holdUps.reduce((sum, [endMs = 0, lostMs = 0]) => (endMs < sinceMs ? sum : sum + lostMs), 0);
}

beforeEach(({ task }) => {
  const sinceMs = Date.now();
  const stolenShare = watchStolenTime();
  const stoodStill = (): boolean => {
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, notedMs);
    const heldUpMs = heldUpMsSince(sinceMs);
    const stolen = stolenShare();
    if (heldUpMs < leastMs && stolen < leastStolen) return false;
    const share = Math.round(stolen * 100);
    console.warn(
      `tried again, as the machine stood still for ${heldUpMs} ms (${share} % stolen): ${task.fullTestName}`,
    );
    return true;
  };
  // vitest has read how often by now, and reads the condition when the test has failed.
  Object.assign(task, { retry: { count: 1, condition: stoodStill } });
});
