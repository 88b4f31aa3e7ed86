import { setProcessName } from '../linux/prctl.ts';

/**
 * Gives this process the name by which `--process` finds it: the kernel's. Its command line stays as it was, which
 * `process.title` would overwrite.
 */
export function nameProcess(name: string): void {
  setProcessName(name);
}
