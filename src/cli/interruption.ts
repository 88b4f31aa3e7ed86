import { constants } from 'node:os';
import { endWithTerminal } from './lost-terminal.ts';

/** Signals by which a user or the system asks a command to end. */
const endings = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;

export interface Interruption {
  readonly signal: AbortSignal;
  /** The exit code that the signal asks for, 128 + its number, once one came. */
  exitCode(): number | undefined;
  /** Aborted by a second signal. From this call on that one ends the program no more; a third one does. */
  readonly insisted: () => AbortSignal;
}

let current: Interruption | undefined;

/**
 * The user's wish to end. The first such signal undoes what is being injected, then ends the program; a second one
 * ends it at once, which the journal survives.
 */
export function interruption(): Interruption {
  if (current !== undefined) return current;
  const controller = new AbortController();
  const insisting = new AbortController();
  let hearsInsisting = false;
  let exitCode: number | undefined;
  for (const name of endings) {
    process.on(name, () => {
      const asked = 128 + constants.signals[name];
      if (exitCode !== undefined && (!hearsInsisting || insisting.signal.aborted)) process.exit(asked);
      if (exitCode !== undefined) insisting.abort();
      if (exitCode === undefined && name === 'SIGHUP') process.once('exit', endWithTerminal);
      exitCode ??= asked;
      controller.abort();
    });
  }
  current = {
    signal: controller.signal,
    exitCode: () => exitCode,
    insisted: () => {
      hearsInsisting = true;
      return insisting.signal;
    },
  };
  return current;
}
