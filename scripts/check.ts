/**
 * Everything about the sources that can be checked without running them: `npm run check`, or only some of it with
 * `npm run check types lint`. A check that passes prints a line; one that fails prints what it found.
 */
import { spawn } from 'node:child_process';
import { availableParallelism } from 'node:os';
import path from 'node:path';
import { root } from './lib/tree.ts';

/** Each is one or more commands, which all have to succeed. */
const checks: Readonly<Record<string, readonly (readonly string[])[]>> = {
  types: [['tsc', '--project', '.']],
  lint: [['oxlint', '--deny-warnings', '--report-unused-disable-directives']],
  format: [['biome', 'format', '--max-diagnostics=200']],
  // The second run looks at what is shipped: a file that only tests use is dead as well.
  knip: [
    ['knip', '--no-config-hints'],
    ['knip', '--no-config-hints', '--production', '--include', 'files'],
  ],
  boundaries: [['tsx', 'scripts/check-boundaries.ts']],
  tidy: [['tsx', 'scripts/tidy.ts']],
};

interface Result {
  readonly name: string;
  readonly passed: boolean;
  readonly output: string;
  readonly tookMs: number;
}

async function run(name: string): Promise<Result> {
  const startedAt = performance.now();
  const runs: { readonly passed: boolean; readonly output: string }[] = [];
  for (const command of checks[name] ?? []) {
    runs.push(await runCommand(command));
  }
  return {
    name,
    passed: runs.every(({ passed }) => passed),
    output: runs.map(({ output }) => output).join(''),
    tookMs: performance.now() - startedAt,
  };
}

function runCommand([tool = '', ...args]: readonly string[]): Promise<{ passed: boolean; output: string }> {
  const child = spawn(path.join(root, 'node_modules/.bin', tool), args, {
    cwd: root,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let output = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (text: string) => (output += text));
  }
  return new Promise((resolve) => {
    child.on('error', (error) => resolve({ passed: false, output: `${error.message}\n` }));
    child.on('close', (code) => resolve({ passed: code === 0, output }));
  });
}

function report({ name, passed, output, tookMs }: Result): void {
  const took = `${(tookMs / 1000).toFixed(1)} s`;
  if (passed) {
    const said = output.trim().split('\n');
    // A tool that has one line to say may say it; what is longer is for those who have something to mend.
    const summary = said.length === 1 ? said[0] : '';
    console.log(`${name.padEnd(11)} ok      ${took.padStart(6)}  ${summary}`.trimEnd());
  } else {
    console.log(`${name.padEnd(11)} FAILED  ${took.padStart(6)}\n${output.trimEnd()}\n`);
  }
}

const wanted = process.argv.length > 2 ? process.argv.slice(2) : Object.keys(checks);
const unknown = wanted.filter((name) => checks[name] === undefined);
if (unknown.length > 0) {
  console.error(`there is no check ${unknown.join(', ')}; there are ${Object.keys(checks).join(', ')}`);
  process.exit(2);
}

const queue = [...wanted];
const results: Result[] = [];
await Promise.all(
  Array.from({ length: availableParallelism() }, async () => {
    for (let name = queue.shift(); name !== undefined; name = queue.shift()) {
      const result = await run(name);
      results.push(result);
      report(result);
    }
  }),
);
const failed = results.filter(({ passed }) => !passed).map(({ name }) => name);
if (failed.length > 0) {
  console.error(`${failed.length} of ${results.length} checks failed: ${failed.join(', ')}`);
  process.exitCode = 1;
}
