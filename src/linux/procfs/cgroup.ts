import { type ProcessRef, readProcessFile } from './read.ts';

/** One line of /proc/PID/cgroup: cgroups(7). */
export interface CgroupEntry {
  /** 0 for cgroup v2. */
  readonly hierarchyId: number;
  /** Controllers of a v1 hierarchy, or its name as `name=systemd`; empty for v2. */
  readonly controllers: readonly string[];
  /** From the root of the hierarchy, as the reader's cgroup namespace sees it. */
  readonly path: string;
}

/** The cgroup of a process in every hierarchy; undefined when the process is gone. */
export function readCgroups(process: ProcessRef): CgroupEntry[] | undefined {
  const bytes = readProcessFile(process, 'cgroup');
  return bytes === undefined ? undefined : parseCgroups(bytes.toString('utf8'));
}

/** Parses /proc/PID/cgroup. A path may hold colons, but no newline: the kernel refuses those. */
export function parseCgroups(text: string): CgroupEntry[] {
  const entries: CgroupEntry[] = [];
  for (const line of text.split('\n')) {
    const match = /^(\d+):([^:]*):(.*)$/.exec(line);
    if (match === null) continue;
    const [, hierarchyId = '', controllers = '', path = ''] = match;
    entries.push({
      hierarchyId: Number(hierarchyId),
      controllers: controllers === '' ? [] : controllers.split(','),
      path,
    });
  }
  return entries;
}
