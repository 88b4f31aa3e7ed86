/** Checks of style and of references that none of the ready-made tools does. */
import { existsSync, readFileSync, statSync } from 'node:fs';
import path from 'node:path';
import { filesUnder, root } from './lib/tree.ts';
import { rules, type Repository } from './lib/tidy-rules.ts';

const repository: Repository = {
  exists: (file) => existsSync(path.join(root, file)),
  isFolder: (file) => statSync(path.join(root, file), { throwIfNoEntry: false })?.isDirectory() === true,
  read: (file) => readFileSync(path.join(root, file), 'utf8'),
};

const read = /\.(?:ts|mjs|js|json|md|ya?ml|sh)$|^\.ci\/|(?:^|\/)\.[a-z]+rc$/u;
const files = filesUnder('', '').filter((file) => read.test(file) && file !== 'package-lock.json');
const problems = files.flatMap((file) => {
  const text = repository.read(file);
  return rules.flatMap((rule) => rule({ file, text, repository }));
});
if (problems.length > 0) {
  console.error(problems.join('\n'));
  process.exitCode = 1;
} else {
  console.log(`${files.length} files, ${rules.length} rules`);
}
