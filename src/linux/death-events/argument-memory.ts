import { readCmdline } from '../procfs/cmdline.ts';
import { listPids } from '../procfs/process-list.ts';
import { isErrno } from '../syscall-error.ts';
import type { SeenEvent } from './event.ts';

/** Fills in the arguments of those who die, where the kernel has let go of their memory before it tells of them. */
export interface ArgumentMemory {
  complete(event: SeenEvent): SeenEvent;
}

/** More processes do not live at a time on hosts that there are; then all is learnt anew. */
const mostRemembered = 100_000;

function argumentsOf(pid: number): readonly string[] {
  try {
    return readCmdline(pid) ?? [];
  } catch (error) {
    if (isErrno(error, 'EACCES', 'EPERM')) return [];
    throw error;
  }
}

/** Those who live already are looked at now, the others when they run a program; who only forks is as his parent. */
export function argumentMemory(): ArgumentMemory {
  const known = new Map<number, readonly string[]>();
  for (const pid of listPids()) known.set(pid, argumentsOf(pid));
  return Object.freeze<ArgumentMemory>({
    complete: (event) => {
      const { pid, ppid, argv } = event;
      if (event.kind === 'exec') {
        if (known.size >= mostRemembered) known.clear();
        if (argv !== null) known.set(pid, argv);
        return event;
      }
      const remembered = known.get(pid) ?? (ppid === null ? undefined : known.get(ppid)) ?? [];
      known.delete(pid);
      return argv === null && remembered.length > 0 ? { ...event, argv: remembered } : event;
    },
  });
}
