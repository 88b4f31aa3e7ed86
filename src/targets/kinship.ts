import type { ProcessTable } from './process-table.ts';

/**
 * The parents of a process up to the first one of its PID namespace. Without the process itself.
 *
 * A parent that vanishes on the way ends the walk. The facts are read one after the other, so PIDs that change hands
 * meanwhile could close a circle: none is visited twice.
 */
export function ancestorsOf(table: ProcessTable, pid: number): Set<number> {
  const ancestors = new Set<number>();
  let parent = table.stat(pid)?.ppid ?? 0;
  // Parent 0 is the kernel, or a process outside of our PID namespace.
  while (parent > 0 && parent !== pid && !ancestors.has(parent)) {
    ancestors.add(parent);
    parent = table.stat(parent)?.ppid ?? 0;
  }
  return ancestors;
}

function childrenByParent(table: ProcessTable): Map<number, number[]> {
  const children = new Map<number, number[]>();
  for (const pid of table.pids()) {
    const parent = table.stat(pid)?.ppid;
    if (parent === undefined) continue;
    const siblings = children.get(parent);
    if (siblings === undefined) children.set(parent, [pid]);
    else siblings.push(pid);
  }
  return children;
}

/**
 * Children, grandchildren and so on of these processes, without the processes themselves.
 *
 * Processes whose parent has died belong to init or a subreaper by now and are not found.
 */
export function descendantsOf(table: ProcessTable, pids: Iterable<number>): Set<number> {
  const roots = new Set(pids);
  if (roots.size === 0) return new Set();
  const children = childrenByParent(table);
  const descendants = new Set<number>();
  const unvisited = [...roots];
  for (let parent = unvisited.pop(); parent !== undefined; parent = unvisited.pop()) {
    for (const child of children.get(parent) ?? []) {
      if (roots.has(child) || descendants.has(child)) continue;
      descendants.add(child);
      unvisited.push(child);
    }
  }
  return descendants;
}
