import { readCmdline } from '../procfs/cmdline.ts';
import { readComm } from '../procfs/comm.ts';
import { readCgroups } from '../procfs/cgroup.ts';
import { listPids } from '../procfs/process-list.ts';
import { readNamespace } from '../procfs/namespaces.ts';
import { readStat } from '../procfs/stat.ts';
import { readStatus } from '../procfs/status.ts';
import type { NamespacePid } from './event.ts';
import { isErrno } from '../syscall-error.ts';

/*
 * What processes were, for sources that tell nothing but the number of one that died: read from /proc when one is first
 * heard of, since nothing is left to read afterwards.
 */

export interface Remembered {
  readonly pid: number;
  readonly nsPid: number | null;
  readonly namespaces: readonly NamespacePid[];
  readonly name: string;
  readonly ppid: number | null;
  readonly uid: number | null;
  readonly cgroup: string | null;
  readonly startTimeTicks: number | null;
  readonly argv: readonly string[] | null;
}

export interface ProcessMemory {
  /** Look at it now. @returns undefined: it is gone already */
  learn(pid: number): Remembered | undefined;
  /** It runs another program. @returns undefined: it is gone already, and all that is known of it is where it was */
  execed(pid: number): Remembered | undefined;
  /** A process forked: until it is looked at, it is as its parent. */
  forked(parent: number, pid: number): void;
  /** What is known of one that has died; a zombie is looked at. It is forgotten with that. */
  take(pid: number): Remembered | undefined;
  /** What is known, however it came to be known. */
  find(pid: number): Remembered | undefined;
}

/** The name of one whose name was not seen. */
export const unknownName = '?';

/** More processes than this do not live at a time on a host: the limit of PIDs on 64-bit. */
const mostProcesses = 4_194_304;

function cgroupOf(pid: number): string | null {
  const entries = readCgroups(pid) ?? [];
  const memory = entries.find(({ controllers }) => controllers.includes('memory'));
  return (memory ?? entries.find(({ hierarchyId }) => hierarchyId === 0))?.path ?? null;
}

/** Its number in its own namespace; of those between that and the host's, /proc does not tell which they are. */
function namespacesOf(pid: number, nsPids: readonly number[]): readonly NamespacePid[] {
  if (nsPids.length <= 1) return [];
  try {
    const namespace = readNamespace(pid, 'pid');
    return namespace === undefined ? [] : [{ namespace, pid: nsPids.at(-1) ?? 0 }];
  } catch (error) {
    if (isErrno(error, 'EACCES', 'EPERM')) return [];
    throw error;
  }
}

function look(pid: number): Remembered | undefined {
  try {
    const stat = readStat(pid);
    if (stat === undefined) return undefined;
    const status = readStatus(pid);
    const argv = readCmdline(pid) ?? [];
    const nsPids = status?.nsPids ?? [];
    return {
      pid,
      nsPid: nsPids.length > 1 ? (nsPids.at(-1) ?? null) : null,
      namespaces: namespacesOf(pid, nsPids),
      name: readComm(pid) ?? stat.comm,
      ppid: stat.ppid,
      uid: status?.realUid ?? null,
      cgroup: cgroupOf(pid),
      startTimeTicks: stat.startTimeTicks,
      argv: argv.length === 0 ? null : argv,
    };
  } catch (error) {
    if (isErrno(error, 'EACCES', 'EPERM')) return undefined;
    throw error;
  }
}

export function processMemory(): ProcessMemory {
  const known = new Map<number, Remembered>();
  /** Child → parent, for those that nobody has looked at yet. */
  const parents = new Map<number, number>();
  for (const pid of listPids()) remember(pid);

  function remember(pid: number): Remembered | undefined {
    const found = look(pid);
    if (found !== undefined) {
      if (known.size >= mostProcesses) known.clear();
      known.set(pid, found);
      parents.delete(pid);
    }
    return found;
  }
  function find(pid: number): Remembered | undefined {
    const own = known.get(pid);
    if (own !== undefined) return own;
    const parent = parents.get(pid);
    const inherited = parent === undefined ? undefined : known.get(parent);
    // What it was born with: the name, the user, the cgroup. Its start and its own number in a namespace are others.
    if (inherited === undefined || parent === undefined) return undefined;
    return { ...inherited, pid, ppid: parent, nsPid: null, namespaces: [], startTimeTicks: null };
  }
  function take(pid: number): Remembered | undefined {
    const before = find(pid);
    // A zombie shows all but its arguments, until its parent has asked for it.
    const now = look(pid);
    known.delete(pid);
    parents.delete(pid);
    if (now === undefined) return before;
    if (before !== undefined && before.startTimeTicks !== null && before.startTimeTicks !== now.startTimeTicks) {
      return before;
    }
    const namespaces = now.namespaces.length > 0 ? now.namespaces : (before?.namespaces ?? []);
    return { ...now, namespaces, argv: before?.argv ?? null, cgroup: before?.cgroup ?? now.cgroup };
  }
  return Object.freeze<ProcessMemory>({
    learn: remember,
    execed: (pid) => {
      const now = remember(pid);
      const before = now === undefined ? find(pid) : undefined;
      if (before !== undefined) known.set(pid, { ...before, name: unknownName, uid: null, argv: null });
      return now;
    },
    forked: (parent, pid) => {
      // A parent that is not known any more may itself have been born so.
      const from = known.has(parent) ? parent : (parents.get(parent) ?? parent);
      known.delete(pid);
      parents.set(pid, from);
    },
    take,
    find,
  });
}
