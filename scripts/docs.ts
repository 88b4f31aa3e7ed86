/** Makes the tables of options and of measures in the documentation anew: `npm run docs`. A test tells when. */
import { readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { withMeasureTables } from './lib/measure-tables.ts';
import { withOptionTables } from './lib/option-tables.ts';
import { filesUnder, root } from './lib/tree.ts';

for (const page of filesUnder('docs', '.md')) {
  const file = path.join(root, page);
  const text = readFileSync(file, 'utf8');
  const fresh = withMeasureTables(withOptionTables(text));
  if (fresh === text) continue;
  writeFileSync(file, fresh);
  console.log(page);
}
