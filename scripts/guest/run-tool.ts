import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';

const tailLines = 30;

export interface ToolOptions {
  readonly cwd?: string;
  readonly env?: Readonly<Record<string, string>>;
  /** Ends the tool and all that it has started. */
  readonly signal: AbortSignal;
  readonly onLine?: (line: string) => void;
}

/** Run a tool to its end. @throws Error it fails; the message ends with the last that it said */
export async function runTool(file: string, args: readonly string[], options: ToolOptions): Promise<void> {
  const { cwd, env, signal, onLine } = options;
  signal.throwIfAborted();
  const tail: string[] = [];
  const child = spawn(file, args, {
    cwd,
    env: { ...process.env, LC_ALL: 'C', ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
    // A group of its own, to be ended as a whole.
    detached: true,
  });
  const kill = (): void => void (child.pid !== undefined && process.kill(-child.pid, 'SIGKILL'));
  signal.addEventListener('abort', kill);
  for (const input of [child.stdout, child.stderr]) {
    createInterface({ input }).on('line', (line) => {
      tail.push(line);
      if (tail.length > tailLines) tail.shift();
      onLine?.(line);
    });
  }
  try {
    await new Promise<void>((resolve, reject) => {
      child.on('error', reject);
      child.on('close', (code, died) => {
        if (code === 0) resolve();
        else reject(new Error(`${file} ${args.join(' ')} ended with ${died ?? code}:\n${tail.join('\n')}`));
      });
    });
  } finally {
    signal.removeEventListener('abort', kill);
  }
}
