import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path/posix';
import { parseMounts } from '../../linux/mount-table.ts';
import { type Candidate, candidate } from './candidate.ts';

/** A node may have thousands of cgroups; nobody reads that many. */
const mostCgroups = 1_000;

function foldersIn(path: string): readonly string[] {
  try {
    const entries = readdirSync(path, { withFileTypes: true });
    return entries.filter((entry) => entry.isDirectory()).map(({ name }) => name);
  } catch {
    return []; // removed meanwhile, or not ours to see
  }
}

/** May the cgroup, or one below it, become what was typed? */
function leadsTo(cgroup: string, typed: string): boolean {
  return cgroup.startsWith(typed) || typed.startsWith(cgroup === '/' ? '/' : `${cgroup}/`);
}

/** The cgroups of one mounted hierarchy that begin with what was typed, those near the root first. */
function cgroupsBelow(mountPoint: string, root: string, typed: string): readonly string[] {
  const found: string[] = [];
  const queue = [root];
  for (const cgroup of queue) {
    if (found.length >= mostCgroups) break;
    if (cgroup.startsWith(typed)) found.push(cgroup);
    const folder = join(mountPoint, cgroup.slice(root === '/' ? 0 : root.length));
    const below = foldersIn(folder).map((name) => join(cgroup, name));
    queue.push(...below.filter((one) => leadsTo(one, typed)));
  }
  return found;
}

/** Cgroups by their path from the root of the hierarchy, as `--cgroup` takes them: `/system.slice/ssh.service`. */
export function cgroupCandidates(typed: string): readonly Candidate[] {
  const mounts = parseMounts(readFileSync('/proc/self/mountinfo', 'utf8'));
  const cgroupMounts = mounts.filter(({ fsType }) => fsType === 'cgroup2' || fsType === 'cgroup');
  const cgroups = cgroupMounts.flatMap(({ mountPoint, root }) => cgroupsBelow(mountPoint, root, typed));
  return [...new Set(cgroups)].slice(0, mostCgroups).map((cgroup) => candidate(cgroup));
}
