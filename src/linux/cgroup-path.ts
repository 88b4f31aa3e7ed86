import { join } from 'node:path/posix';
import { readMounts } from './mount-table.ts';

/**
 * A cgroup as /proc/PID/cgroup shows it, whether it is given so or as the folder where a person sees it.
 *
 * @param path `/system.slice`, `system.slice` or `/sys/fs/cgroup/memory/system.slice`
 */
export function hierarchyPath(path: string): string {
  const whole = join('/', path).replace(/(?<=.)\/$/, '');
  const mounts = (readMounts('self') ?? []).filter(({ fsType }) => fsType === 'cgroup' || fsType === 'cgroup2');
  const around = mounts
    .filter(({ mountPoint }) => whole === mountPoint || whole.startsWith(`${mountPoint}/`))
    .toSorted((a, b) => b.mountPoint.length - a.mountPoint.length)[0];
  return around === undefined
    ? whole
    : join(around.root, whole.slice(around.mountPoint.length)).replace(/(?<=.)\/$/, '');
}
