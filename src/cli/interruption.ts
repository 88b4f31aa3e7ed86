import { constants } from 'node:os';

/** Signals by which a user or the system asks a command to end. */
const endings = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;

export interface Interruption {
  readonly signal: AbortSignal;
  /** The exit code that the signal asks for, 128 + its number, once one came. */
  exitCode(): number | undefined;
}

let current: Interruption | undefined;

/**
 * The user's wish to end. The first such signal undoes what is being injected, then ends the program; a second one
 * ends it at once, which the journal survives.
 */
export function interruption(): Interruption {
  if (current !== undefined) return current;
  const controller = new AbortController();
  let exitCode: number | undefined;
  for (const name of endings) {
    process.on(name, () => {
      const asked = 128 + constants.signals[name];
      if (exitCode !== undefined) process.exit(asked);
      exitCode = asked;
      controller.abort();
    });
  }
  current = { signal: controller.signal, exitCode: () => exitCode };
  return current;
}
