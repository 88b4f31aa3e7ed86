import { accessSync, constants, existsSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path/posix';
import { controllerFolder } from './cgroupfs.ts';
import { readCgroups } from './procfs/cgroup.ts';
import type { ProcessRef } from './procfs/read.ts';
import { isErrno, toSyscallError } from './syscall-error.ts';

/** The cgroup that a process's memory is counted in. */
export interface MemoryCgroup {
  readonly version: 1 | 2;
  /** From the root of the hierarchy, as we see it: `/system.slice/nginx.service`. */
  readonly path: string;
  /** Where it is mounted. */
  readonly folder: string;
}

export interface MemoryCgroupState {
  /** null: without limit, or the root, which has none. */
  readonly limitBytes: number | null;
  readonly usageBytes: number;
  /** How many processes the OOM killer has killed in it; null before Linux 4.13. */
  readonly oomKills: number | null;
  /** v1 only: its processes wait for memory for ever instead of being killed. */
  readonly oomKillDisabled: boolean;
  /** v2 only: all its processes are killed as one. */
  readonly oomGroup: boolean;
}

/** What v1 shows for no limit is PAGE_COUNTER_MAX pages; anything near it is none. */
const noLimitBytes = 2 ** 62;

/** The memory cgroup of a process, v1 or v2; undefined when the process is gone or no such hierarchy is mounted. */
export function memoryCgroupOf(process: ProcessRef): MemoryCgroup | undefined {
  const entries = readCgroups(process) ?? [];
  const first = entries.find(({ controllers }) => controllers.includes('memory'));
  const entry = first ?? entries.find(({ hierarchyId }) => hierarchyId === 0);
  if (entry === undefined) return undefined;
  const folder = controllerFolder(first === undefined ? null : 'memory', entry.path);
  return folder === undefined ? undefined : { version: first === undefined ? 2 : 1, path: entry.path, folder };
}

/**
 * The memory cgroup that a person names: a folder below /sys/fs/cgroup, or a path as /proc/PID/cgroup shows it.
 *
 * @returns undefined where there is none
 */
export function memoryCgroupAt(path: string): MemoryCgroup | undefined {
  const v1 = path.startsWith('/sys/') ? path : controllerFolder('memory', path);
  if (v1 !== undefined && existsSync(join(v1, 'memory.usage_in_bytes'))) return { version: 1, path, folder: v1 };
  const v2 = path.startsWith('/sys/') ? path : controllerFolder(null, path);
  return v2 !== undefined && existsSync(join(v2, 'cgroup.procs')) ? { version: 2, path, folder: v2 } : undefined;
}

/** May we move processes into it? */
export function mayJoin({ folder }: MemoryCgroup): boolean {
  try {
    accessSync(join(folder, 'cgroup.procs'), constants.W_OK);
    return true;
  } catch {
    return false;
  }
}

/** Move this process into it: what it maps from then on is counted there. */
export function joinMemoryCgroup({ folder }: Pick<MemoryCgroup, 'folder'>): void {
  try {
    writeFileSync(join(folder, 'cgroup.procs'), String(process.pid));
  } catch (error) {
    throw toSyscallError(error);
  }
}

/** The cgroup above; undefined for the root of what we see. */
export function parentMemoryCgroup({ version, path, folder }: MemoryCgroup): MemoryCgroup | undefined {
  return path === '/' ? undefined : { version, path: dirname(path), folder: dirname(folder) };
}

function readOrNothing(folder: string, file: string): string | undefined {
  try {
    return readFileSync(join(folder, file), 'latin1').trim();
  } catch (error) {
    if (isErrno(error, 'ENOENT', 'ENODEV', 'EOPNOTSUPP')) return undefined;
    throw error;
  }
}

/** The number after a key of a file such as memory.events: `oom_kill 3`. */
function keyed(text: string | undefined, key: string): number | null {
  const value = text === undefined ? undefined : new RegExp(`^${key} (\\d+)$`, 'm').exec(text)?.[1];
  return value === undefined ? null : Number(value);
}

function limitOf(text: string | undefined): number | null {
  if (text === undefined || text === 'max') return null;
  const bytes = Number(text);
  return bytes >= noLimitBytes ? null : bytes;
}

/**
 * Limit, use and kills of a memory cgroup: Documentation/admin-guide/cgroup-v2.rst, cgroup-v1/memory.rst.
 *
 * @returns undefined when it is gone, or has no memory controller
 */
export function readMemoryCgroup({ version, folder }: MemoryCgroup): MemoryCgroupState | undefined {
  const usage = readOrNothing(folder, version === 2 ? 'memory.current' : 'memory.usage_in_bytes');
  if (usage === undefined) return undefined;
  const events = readOrNothing(folder, version === 2 ? 'memory.events' : 'memory.oom_control');
  return {
    limitBytes: limitOf(readOrNothing(folder, version === 2 ? 'memory.max' : 'memory.limit_in_bytes')),
    usageBytes: Number(usage),
    oomKills: keyed(events, 'oom_kill'),
    oomKillDisabled: keyed(events, 'oom_kill_disable') === 1,
    oomGroup: readOrNothing(folder, 'memory.oom.group') === '1',
  };
}
