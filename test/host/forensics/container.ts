import type { SpawnOptions } from 'node:child_process';
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { start, type TestProcess, until } from '../targets/processes.ts';

/*
 * Something like a container: a PID and a mount namespace of its own, with its own /proc. It ends with the test.
 */

const tools = ['unshare', 'nsenter', 'setpriv'].every((tool) => spawnSync(tool, ['--version']).status === 0);

export const hasContainers = process.getuid?.() === 0 && tools;
if (!hasContainers) console.warn('SKIPPED: namespaces cannot be made here (root, unshare, nsenter, setpriv)');

export interface TestContainer {
  /** PID 1 of it, as the host sees it. */
  readonly init: number;
  /** Run a program in it. @returns what stands before it on the host: the program is the child of that */
  readonly run: (command: readonly string[], options?: SpawnOptions) => Promise<TestProcess>;
}

export function childrenOf(pid: number): readonly number[] {
  try {
    return readFileSync(`/proc/${pid}/task/${pid}/children`, 'latin1').split(' ').filter(Boolean).map(Number);
  } catch {
    return [];
  }
}

/** @param cgroup the folder of its cgroup; without it, that of the test */
export async function container(cgroup?: string): Promise<TestContainer> {
  const join = 'test -z "$0" || echo $$ > "$0/cgroup.procs"; exec "$@"';
  const within = (command: readonly string[]): readonly string[] => ['-c', join, cgroup ?? '', ...command];
  const made = ['unshare', '--pid', '--mount-proc', '--fork', '/bin/sh', '-c', 'while :; do sleep 3600; done'];
  const outer = await start('/bin/sh', within(made));
  const init = await until('the container runs', () => {
    const [first] = childrenOf(outer.pid);
    return first !== undefined && childrenOf(first).length > 0 ? first : undefined;
  });
  return {
    init,
    run: (command, options = {}) =>
      start('/bin/sh', within(['nsenter', '--target', String(init), '--pid', '--mount', ...command]), options),
  };
}
