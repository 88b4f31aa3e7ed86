import type { Spot } from './problems.ts';
import type { Part } from './tree.ts';

/** Where the part at a path begins; where there is none, what is there of its path. */
export function placeIn(tree: Part, path: string): Spot {
  const steps = path.match(/[^.[\]]+/gu) ?? [];
  let [part, at] = [tree, tree.at];
  for (const step of steps) {
    if (part.kind === 'map') {
      const entry = part.entries.find(({ key }) => key === step);
      if (entry === undefined) return at;
      [part, at] = [entry.value, entry.value.at];
      continue;
    }
    const item = part.kind === 'list' ? part.items[Number(step)] : undefined;
    if (item === undefined) return at;
    [part, at] = [item, item.at];
  }
  return at;
}
