import { basename } from 'node:path/posix';
import { commOfName } from './name-match.ts';
import type { ProcessTable } from './process-table.ts';
import { summaryOf } from './target-process.ts';

/**
 * How many characters must be inserted, deleted, replaced or swapped with their neighbour to turn one text into the
 * other: the optimal string alignment distance (Boytsov, "Indexing methods for approximate dictionary searching",
 * 2011).
 */
export function editDistance(a: string, b: string): number {
  const [from, to] = [Array.from(a), Array.from(b)];
  let beforeLast: number[] = [];
  let last = Array.from({ length: to.length + 1 }, (_, column) => column);
  for (const [row, character] of from.entries()) {
    const current = [row + 1];
    for (const [column, other] of to.entries()) {
      const replaced = (last[column] ?? 0) + (character === other ? 0 : 1);
      const swapped =
        character === to[column - 1] && other === from[row - 1] ? (beforeLast[column - 1] ?? 0) + 1 : Infinity;
      current.push(Math.min((last[column + 1] ?? 0) + 1, (current[column] ?? 0) + 1, replaced, swapped));
    }
    [beforeLast, last] = [last, current];
  }
  return last[to.length] ?? 0;
}

/** Names longer than this are compared by their beginnings only. */
const longestCompared = 64;

/** 0 for nearly the same, more for less near, undefined for not near at all. */
function distanceBetween(wanted: string, name: string): number | undefined {
  const [a, b] = [wanted.toLowerCase(), name.toLowerCase()];
  if (a === b || commOfName(wanted) === name) return 0;
  if (Math.min(a.length, b.length) >= 3 && (a.startsWith(b) || b.startsWith(a))) return 1;
  const distance = editDistance(a.slice(0, longestCompared), b.slice(0, longestCompared));
  const tolerated = Math.floor(Math.min(a.length, b.length) / 3);
  return distance <= Math.min(tolerated, 3) ? 1 + distance : undefined;
}

/** The name by which a process is selected: comm, or the whole name where comm is that, cut. */
function selectableName(comm: string, argv: readonly string[]): string {
  const program = basename(argv[0] ?? '');
  return program !== comm && commOfName(program) === comm ? program : comm;
}

/** How near a process is to a name that nobody has, and the name that it does have. */
function nearness(table: ProcessTable, pid: number, wanted: string): readonly [string, number] | undefined {
  const summary = summaryOf(table, pid);
  if (summary === undefined || summary.kernelThread || pid === process.pid) return undefined;
  const argv = table.argv(pid) ?? [];
  const name = selectableName(summary.comm, argv);
  // Started as that program or script, and renamed since: Node's main thread is called MainThread in some versions.
  const startedAs = argv.slice(0, 2).some((argument) => basename(argument) === wanted);
  const distance = startedAs ? 0 : distanceBetween(wanted, name);
  return distance === undefined ? undefined : [name, distance];
}

/**
 * Names of live processes that may have been meant by a name that nobody has, the nearest first. Without kernel
 * threads and this process.
 */
export function nearNames(table: ProcessTable, name: string, most = 3): string[] {
  const wanted = basename(name);
  const distances = new Map<string, number>();
  for (const pid of table.pids()) {
    const [near, distance] = nearness(table, pid, wanted) ?? [];
    if (near === undefined || distance === undefined) continue;
    distances.set(near, Math.min(distance, distances.get(near) ?? distance));
  }
  return [...distances]
    .sort(([a, near], [b, far]) => near - far || (a < b ? -1 : 1))
    .slice(0, most)
    .map(([near]) => near);
}
