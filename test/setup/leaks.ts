import { setTimeout as sleep } from 'node:timers/promises';
import { hostState, leaksSince } from './host-state.ts';

/** The kernel and a keeper that was just told to go need a moment; anything that stays longer was forgotten. */
const patienceMs = 60_000;

/**
 * Fails the run of the host tests if they leave behind what they started: whoever ends up with a stopped process or a
 * mount on their machine because of our tests has met the very thing that Faultline promises not to do.
 *
 * The mark is inherited by every process that a test starts, so that another run's processes are not taken for ours.
 */
export function setup(): () => Promise<void> {
  // One mark for a run, of however many projects it consists.
  const mark = (process.env['FAULTLINE_TEST_RUN'] ??= `${process.pid}-${Date.now()}`);
  const run = { mark, runnerPid: process.pid };
  const before = hostState();
  return async () => {
    const deadline = performance.now() + patienceMs;
    let leaks = leaksSince(before, run);
    while (leaks.length > 0 && performance.now() < deadline) {
      await sleep(100);
      leaks = leaksSince(before, run);
    }
    if (leaks.length > 0) {
      // vitest prints what a teardown throws, and then calls the run a success.
      process.exitCode = 1;
      throw new Error(`the host tests have left behind:\n${leaks.map((leak) => `  ${leak}`).join('\n')}`);
    }
  };
}
