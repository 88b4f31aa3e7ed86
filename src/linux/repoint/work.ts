import { descriptorObstacle, executableObstacle, folderObstacle, mapObstacle, programFiles } from './kept.ts';
import type { ProcessReport } from './repoint-report.ts';
import { displayPath, type SideKind } from './volume-side.ts';
import type { VolumePlace, VolumeUser } from './volume-use.ts';

/** What has turned out to have to stay, so that nobody is stopped for it again. */
export type Settled = Set<string>;

export interface WorkRules {
  readonly to: { readonly kind: SideKind };
  readonly rescuePids?: readonly number[];
}

/** Does the process hold anything that may be moved, as far as that can be told? */
export function hasWork(user: VolumeUser, { to, rescuePids = [] }: WorkRules, settled: Settled): boolean {
  const programs = programFiles(user);
  const isNew = (what: string, number: number, { path }: VolumePlace): boolean =>
    !settled.has(keyOf(user, what, number, displayPath(path)));
  const { executable } = user;
  return (
    user.notes.length > 0 ||
    user.tables.some(({ descriptors }) =>
      descriptors.some(
        (one) =>
          descriptorObstacle(one, to.kind, rescuePids.length > 0) === undefined && isNew('descriptor', one.fd, one),
      ),
    ) ||
    user.folders.some(
      ({ root, workingDirectory: folder }) =>
        (folder !== undefined && folderObstacle(folder) === undefined && isNew('working-directory', 0, folder)) ||
        (root !== undefined && folderObstacle(root) === undefined && isNew('root', 0, root)),
    ) ||
    user.maps.some((map) => mapObstacle(map, to.kind, programs) === undefined && isNew('map', map.start, map)) ||
    (executable !== undefined &&
      executableObstacle(executable, to.kind) === undefined &&
      isNew('executable', 0, executable))
  );
}

/** Remembers what of a process stays; all of it where it was refused, or put back. */
export function settle(report: ProcessReport, settled: Settled): void {
  for (const { what, number, path } of report.kept) settled.add(keyOf(report, what, number, path));
}

function keyOf(
  { pid, startTimeTicks }: Pick<VolumeUser, 'pid' | 'startTimeTicks'>,
  what: string,
  number: number,
  path: string,
): string {
  return `${pid} ${startTimeTicks} ${what} ${number} ${path}`;
}
