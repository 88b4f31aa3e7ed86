import { Unavailable, unavailableCode } from './unavailable.ts';

/** An abort for Ctrl-C and its like, so that what was started is ended and removed. */
function endSignal(): AbortSignal {
  const controller = new AbortController();
  for (const name of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.once(name, () => controller.abort());
  return controller.signal;
}

/**
 * The body of a program of the guest's: its exit code, and what cannot be had or was interrupted in plain words.
 *
 * @param body returns the exit code
 */
export async function runScript(body: (signal: AbortSignal) => Promise<number>): Promise<void> {
  const signal = endSignal();
  try {
    process.exitCode = await body(signal);
  } catch (error) {
    if (signal.aborted) {
      console.error('guest: interrupted');
      process.exitCode = 130;
    } else if (error instanceof Unavailable) {
      const cause = error.cause instanceof Error ? `\n${error.cause.message}` : '';
      console.error(`!!! no guest: ${error.message}${cause}`);
      process.exitCode = unavailableCode;
    } else {
      console.error(error);
      process.exitCode = 1;
    }
  }
}
