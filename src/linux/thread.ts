import { existsSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

/*
 * Programs that run in threads of their own are built into files of their own: a worker thread of Node reads JavaScript
 * from a file, and must not read all of the program's. Which there are stands in `threads` of scripts/build/bundle.ts.
 */

/**
 * The file that a thread named so runs from, for `new Worker(…)`.
 *
 * In the package it stands beside the program. The sources as they are, and programs that tests bundle, run it from the
 * `dist` of the checkout that they are in: what was built last.
 *
 * @throws Error it was not built
 */
export function threadFile(name: string): string {
  const file = `${name}.js`;
  const here = path.dirname(thisFile());
  // The second one for threads that start threads: they stand there themselves.
  const packaged = [path.join(here, 'late', file), path.join(here, file)];
  const found = [...packaged, ...ancestors(here).map((folder) => path.join(folder, 'dist/late', file))].find((place) =>
    existsSync(place),
  );
  if (found === undefined) throw new Error(`there is no ${packaged[0]}: build the package first`);
  return found;
}

function ancestors(folder: string): readonly string[] {
  const parent = path.dirname(folder);
  return parent === folder ? [folder] : [folder, ...ancestors(parent)];
}

/** In the bundle, which is CommonJS, `import.meta.url` stands for a path. */
function thisFile(): string {
  const url = import.meta.url;
  return url.startsWith('file:') ? fileURLToPath(url) : url;
}
