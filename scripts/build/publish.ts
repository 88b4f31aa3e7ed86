import { mkdirSync, readdirSync, readFileSync, renameSync, rmSync, statSync } from 'node:fs';
import path from 'node:path';

/**
 * Makes `target` hold exactly the files of `stage`, without a moment in which a reader of `target` finds half of it:
 * what the commands load comes first, then the commands themselves, and only then do stale files
 * go. Each file is replaced by a rename. A file whose content and mode are already right is not touched, so that
 * building twice changes nothing under a program that is running.
 *
 * @returns how many files were added, replaced or removed
 */
export function publish(stage: string, target: string): number {
  const fresh = filesIn(stage);
  const stale = filesIn(target).filter((name) => !fresh.includes(name));
  const changed = fresh.filter((name) => !isSame(path.join(stage, name), path.join(target, name)));
  for (const name of commandsLast(changed)) {
    mkdirSync(path.dirname(path.join(target, name)), { recursive: true });
    renameSync(path.join(stage, name), path.join(target, name));
  }
  for (const name of stale) {
    rmSync(path.join(target, name));
  }
  return changed.length + stale.length;
}

function commandsLast(names: readonly string[]): readonly string[] {
  const isCommand = (name: string): boolean => name === 'faultline.js' || name === 'chaosd.js';
  return [...names.filter((name) => !isCommand(name)), ...names.filter(isCommand)];
}

function isSame(one: string, other: string): boolean {
  const there = statSync(other, { throwIfNoEntry: false });
  return there?.mode === statSync(one).mode && readFileSync(one).equals(readFileSync(other));
}

function filesIn(folder: string): readonly string[] {
  if (statSync(folder, { throwIfNoEntry: false }) === undefined) {
    return [];
  }
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => !entry.isDirectory())
    .map((entry) => path.relative(folder, path.join(entry.parentPath, entry.name)))
    .toSorted();
}
