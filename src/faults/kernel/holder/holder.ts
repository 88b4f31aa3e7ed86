import { closeTogether } from '../../../linux/libc.ts';
import { setProcessName } from '../../../linux/prctl.ts';
import type { Site } from '../../fault.ts';

/** Its probes begin after standard input, output and error, and the lock. */
const firstProbe = 4;

/** Longer than anybody waits: the process only has to be there. */
const foreverMs = 2 ** 30;

/**
 * Hold probes until told to end. Whatever ends this process detaches them; told by a signal, it does so to all of them
 * at the same time, for the kernel waits a while with each.
 *
 * @param argument the injection's key, and how many probes there are, with a colon between
 */
export async function runHolder(_site: Site, argument: string): Promise<undefined> {
  setProcessName('faultline-probe');
  const count = Number(argument.split(':')[1]);
  await new Promise<void>((resolve) => {
    const timer = setInterval(() => undefined, foreverMs);
    for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP'] as const) {
      process.on(signal, () => {
        clearInterval(timer);
        resolve();
      });
    }
  });
  await closeTogether(Array.from({ length: count }, (_, index) => firstProbe + index));
  return undefined;
}
