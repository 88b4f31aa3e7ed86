import { spawn } from 'node:child_process';
import { once } from 'node:events';

/**
 * Lets `body` do once, with a process that nobody misses, what it is going to do with targets.
 *
 * Whatever runs for the first time is slow: native code is loaded and bound, functions are compiled. With the first
 * target that would be forty milliseconds in which it stands still; after a rehearsal they are two.
 *
 * The process is `cat`, which reads from a pipe of ours and so ends with us. It is our child, which targets must never
 * be; but `body` is synchronous, and libuv looks for news of children only between turns of the event loop. Where there
 * is no `cat` there is no rehearsal.
 *
 * @throws what `body` throws
 */
export async function rehearse(body: (pid: number) => void): Promise<void> {
  const child = spawn('cat', { stdio: ['pipe', 'ignore', 'ignore'] });
  // Told later, by when it is known that there is no PID.
  child.once('error', () => {});
  if (child.pid === undefined) return;
  const exited = once(child, 'exit');
  try {
    body(child.pid);
  } finally {
    child.kill('SIGKILL');
    await exited;
  }
}
