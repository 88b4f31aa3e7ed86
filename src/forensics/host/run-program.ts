import { execFile } from 'node:child_process';

/** How long a program may take that is one of several, in milliseconds: a daemon that hangs must not hold us up. */
const patienceMs = 3_000;

export type ProgramAnswer =
  | { readonly kind: 'said'; readonly text: string }
  /** It ran and had nothing to tell, or failed. */
  | { readonly kind: 'failed' }
  /** It took too long: what it would have said is not known. */
  | { readonly kind: 'late' }
  | { readonly kind: 'absent' };

/**
 * Run a program of the host that knows something, without a shell, and take what it prints.
 *
 * @param timeoutMs how long it may take
 */
export function ask(program: string, argv: readonly string[], timeoutMs = patienceMs): Promise<ProgramAnswer> {
  return new Promise((resolve) => {
    const options = { timeout: timeoutMs, killSignal: 'SIGKILL', maxBuffer: 4 * 1024 * 1024 } as const;
    const child = execFile(program, [...argv], options, (error, stdout) => {
      // Also where it had ended, and nobody had heard of it: its output is cut off.
      if (child.killed) resolve({ kind: 'late' });
      else if (error === null) resolve({ kind: 'said', text: stdout });
      else resolve({ kind: error.code === 'ENOENT' ? 'absent' : 'failed' });
    });
  });
}
