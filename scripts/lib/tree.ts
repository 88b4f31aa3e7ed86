import { readdirSync } from 'node:fs';
import path from 'node:path';

/** The checkout that the scripts work on. */
export const root = path.resolve(import.meta.dirname, '../..');

const notOurs = new Set(['node_modules', 'dist', '.git', 'coverage', '.test-results']);

/**
 * All files below a folder whose names end in `suffix`.
 *
 * @param folder relative to the root; `''` for all of it
 * @returns paths relative to the root, sorted; none where there is no such folder
 */
export function filesUnder(folder: string, suffix: string): readonly string[] {
  return entriesOf(folder)
    .flatMap((entry) => {
      const file = path.join(folder, entry.name);
      if (entry.isDirectory()) {
        return notOurs.has(entry.name) || entry.name.startsWith('.dist-') ? [] : filesUnder(file, suffix);
      }
      return entry.isFile() && entry.name.endsWith(suffix) ? [file] : [];
    })
    .toSorted();
}

function entriesOf(folder: string) {
  try {
    return readdirSync(path.join(root, folder), { withFileTypes: true });
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') {
      return [];
    }
    throw error;
  }
}
