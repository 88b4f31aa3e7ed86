import { closeTogether } from '../../../linux/libc.ts';
import { setProcessName } from '../../../linux/prctl.ts';
import type { Site } from '../../fault.ts';
import { keeperIsPresent } from '../../keeper-presence.ts';
import { inheritedHold, writeReason } from './hold-file.ts';

/** Its probes begin after standard input, output and error, and the lock. */
const firstProbe = inheritedHold + 1;

/** How often it looks whether there is a keeper, in milliseconds. */
const lookMs = 100;
/** After so many looks at none in a row there is none: one that takes over may be a moment late. */
const looksInVain = 4;

/** Resolves when there is no keeper any more. It was there before the first probe was. */
async function keeperGone(stateDir: string, over: AbortSignal): Promise<void> {
  await new Promise<void>((resolve) => {
    let missed = 0;
    const timer = setInterval(() => {
      missed = keeperIsPresent(stateDir) ? 0 : missed + 1;
      if (missed === looksInVain) resolve();
    }, lookMs);
    over.addEventListener('abort', () => {
      clearInterval(timer);
      resolve();
    });
  });
}

function toldToEnd(): Promise<void> {
  return new Promise((resolve) => {
    for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP'] as const) {
      process.on(signal, () => {
        resolve();
      });
    }
  });
}

/**
 * Hold probes until told to end, or until there is no keeper that would see to their end. Whatever ends this process
 * detaches them; otherwise it does so to all of them at the same time, for the kernel waits a while with each.
 *
 * @param argument the injection's key, and how many probes there are, with a colon between
 */
export async function runHolder({ stateDir }: Site, argument: string): Promise<undefined> {
  setProcessName('faultline-probe');
  const count = Number(argument.split(':')[1]);
  const over = new AbortController();
  await Promise.race([
    toldToEnd(),
    keeperGone(stateDir, over.signal).then(() => {
      if (!over.signal.aborted) writeReason('its keeper was killed, and its probes were detached');
    }),
  ]);
  over.abort();
  await closeTogether(Array.from({ length: count }, (_, index) => firstProbe + index));
  return undefined;
}
