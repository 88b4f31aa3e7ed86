import { execFile } from 'node:child_process';

/** How long a program of the host may take to answer, in milliseconds: a daemon that hangs must not hold us up. */
const patienceMs = 3_000;

export type ProgramAnswer =
  | { readonly kind: 'said'; readonly text: string }
  /** It ran and had nothing to tell, or failed. */
  | { readonly kind: 'failed' }
  | { readonly kind: 'absent' };

/** Run a program of the host that knows something, without a shell, and take what it prints. */
export function ask(program: string, argv: readonly string[]): Promise<ProgramAnswer> {
  return new Promise((resolve) => {
    const options = { timeout: patienceMs, killSignal: 'SIGKILL', maxBuffer: 4 * 1024 * 1024 } as const;
    execFile(program, [...argv], options, (error, stdout) => {
      if (error === null) resolve({ kind: 'said', text: stdout });
      else resolve({ kind: error.code === 'ENOENT' ? 'absent' : 'failed' });
    });
  });
}
