import { expect, test } from 'vitest';
import { rules, type Repository } from './tidy-rules.ts';

const present = ['docs', 'docs/recover.md', 'src/base/text.ts', 'README.md', 'src/base/text.test.ts'];
const repository: Repository = {
  exists: (file) => present.includes(file),
  isFolder: (file) => file === 'docs',
  read: () => '# Recover\n\n## When it *cannot* be undone\n\n## Again\n\n## Again\n',
};

function problems(file: string, text: string): readonly string[] {
  return rules.flatMap((rule) => rule({ file, text, repository }));
}

test.each([
  ['a long line', 'src/a.ts', `// ${'x'.repeat(118)}`, 'src/a.ts:1: 121 characters'],
  ['a promise', 'src/a.ts', 'x;\n// TODO: later', 'src/a.ts:2: TODO is left to do'],
  ['a promise in prose', 'README.md', 'FIXME', 'README.md:1: FIXME is left to do'],
  ['a path of somebody', 'src/a.ts', "'/Users/me/x'", 'src/a.ts:1: /Users/me is a place that only its author has'],
  [
    'a folder that is not here',
    'README.md',
    'see ../shared/notes',
    'README.md:1: ../shared/notes is a place that only its author has',
  ],
  [
    'output below the front doors',
    'src/base/a.ts',
    'console.log(1)',
    'src/base/a.ts:1: console.log is for src/cli alone',
  ],
  ['raw output', 'src/linux/a.ts', 'process.stdout.write(x)', 'src/linux/a.ts:1: process.stdout is for src/cli alone'],
  [
    'a shell',
    'src/cli/a.ts',
    'spawn(a, { shell: true })',
    'src/cli/a.ts:1: shell: true would hand a shell a string that we built',
  ],
  [
    'a shell by name',
    'scripts/a.ts',
    "spawn(a, { shell: '/bin/sh' })",
    "scripts/a.ts:1: shell: '/bin/sh' would hand a shell a string that we built",
  ],
  [
    'an orphaned test',
    'src/base/gone.test.ts',
    '',
    'src/base/gone.test.ts:1: tests nothing: there is no src/base/gone.ts',
  ],
  ['a dead link', 'README.md', 'x\n[a](docs/gone.md)', 'README.md:2: links to docs/gone.md, which is not there'],
  [
    'a dead anchor',
    'README.md',
    '[a](docs/recover.md#never)',
    'README.md:1: links to docs/recover.md#never, which is not there',
  ],
  ['a link out of the repository', 'README.md', '[a](../x.md)', 'README.md:1: links to ../x.md, which is not there'],
  ['a dead name in a comment', 'src/a.ts', '// see docs/gone.md', 'src/a.ts:1: names docs/gone.md, which is not there'],
])('%s is found', (_what, file, text, problem) => {
  expect(problems(file, text)).toEqual([problem]);
});

test.each([
  ['output in a comment', 'src/base/a.ts', '// console.log is for src/cli\n/* process.stdout\n console.log */'],
  ['output of the command line', 'src/cli/a.ts', 'process.stdout.write(x)'],
  ['output of a test', 'src/base/text.test.ts', 'console.log(1)'],
  ['no shell', 'src/cli/a.ts', 'spawn(a, { shell: false })'],
  ['a shell as a type', 'src/cli/a.ts', 'function f(shell: Shell): void {}'],
  ['a test of one aspect', 'src/base/text.wide.test.ts', ''],
  ['a test of the host', 'test/host/anything.test.ts', ''],
  ['links that lead somewhere', 'README.md', '[a](docs/recover.md) [b](docs) [c](https://x.y/z.md) [d](#here)\n# Here'],
  ['an anchor', 'README.md', '[a](docs/recover.md#when-it-cannot-be-undone) [b](docs/recover.md#again-1)'],
  ['a link beside a page', 'docs/recover.md', '[a](../README.md)'],
  ['a dead link in an example', 'README.md', '```\n[a](gone.md) src/x/y.ts\n```'],
  ['an import', 'src/base/a.ts', "import '../x/y.ts';"],
  ['a name with a gap', 'README.md', 'src/faults/<kind>/fault.ts'],
  ['long lines of prose', 'README.md', 'x'.repeat(300)],
])('%s is fine', (_what, file, text) => {
  expect(problems(file, text)).toEqual([]);
});
