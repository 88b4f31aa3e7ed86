import { setTimeout as delay } from 'node:timers/promises';
import { readCmdline } from '../../src/linux/procfs/cmdline.ts';
import { isErrno } from '../../src/linux/syscall-error.ts';
import { readProcessTable } from '../../src/targets/process-table.ts';

/** For a keeper that is told to end to undo what it watches, on a machine that stands still meanwhile, in ms. */
const usualPatienceMs = 15_000;

/** The keepers whose state folder is one of these folders, or is in one of them. */
export function keepersBelow(folders: readonly string[]): readonly number[] {
  const isBelow = (word: string): boolean => folders.some((folder) => word === folder || word.startsWith(`${folder}/`));
  return readProcessTable()
    .pids()
    .filter((pid) => {
      const argv = readCmdline(pid) ?? [];
      return argv.includes('keeper') && argv.some(isBelow);
    });
}

function send(pids: readonly number[], signal: NodeJS.Signals): void {
  for (const pid of pids) {
    try {
      process.kill(pid, signal);
    } catch (error) {
      if (!isErrno(error, 'ESRCH')) throw error;
    }
  }
}

/** Tell these keepers to end: they undo what they watch first. Who does not come to an end by that is killed. */
export async function endKeepersBelow(folders: readonly string[], patienceMs = usualPatienceMs): Promise<void> {
  send(keepersBelow(folders), 'SIGTERM');
  const deadline = performance.now() + patienceMs;
  while (keepersBelow(folders).length > 0 && performance.now() < deadline) await delay(20);
  send(keepersBelow(folders), 'SIGKILL');
}
