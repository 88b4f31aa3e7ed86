import { dieWithParent } from '../linux/prctl.ts';

/**
 * From now on this process ends when the one that started it does, however that ends: the kernel kills it, even while
 * it is stopped. Without the kernel's help (seccomp), it is ended by the end of its standard input.
 *
 * @param parentPid who has started it: might be dead already
 */
export function endWithParent(parentPid: number): void {
  try {
    dieWithParent();
  } catch {
    // The end of standard input has to do.
  }
  if (process.ppid !== parentPid) process.exit();
  process.stdin.on('end', () => process.exit());
  process.stdin.on('error', () => process.exit());
  process.stdin.resume();
}
