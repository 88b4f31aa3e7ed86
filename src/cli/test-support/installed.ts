import { accessSync, constants } from 'node:fs';
import path from 'node:path';

function isExecutable(file: string): boolean {
  try {
    accessSync(file, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

/** Is there a program of that name? Says so where there is none, because the tests that need it are passed over. */
export function installed(program: string): boolean {
  const folders = (process.env['PATH'] ?? '').split(path.delimiter);
  const found = folders.some((folder) => isExecutable(path.join(folder, program)));
  if (!found) console.warn(`!!! ${program} is not installed: tests that need it are skipped`);
  return found;
}
