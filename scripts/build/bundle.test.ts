import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { bundle, entries, threads } from './bundle.ts';

const here = path.resolve(import.meta.dirname, '../..');
let root = '';

/** A checkout in small: the real entries, and a `main` that loads an addon, and a package late. */
beforeEach(() => {
  root = mkdtempSync(path.join(tmpdir(), 'faultline-bundle-'));
  symlinkSync(path.join(here, 'node_modules'), path.join(root, 'node_modules'));
  mkdirSync(path.join(root, 'src/cli/bin'), { recursive: true });
  for (const name of ['faultline', 'chaosd', 'supported']) {
    copy(`src/cli/bin/${name}.ts`, (text) => text);
  }
  mkdirSync(path.join(root, 'src/base'));
  copy('src/base/schema-check.ts', (text) => text);
  for (const file of Object.values(threads)) {
    write(file, "import koffi from 'koffi';\nconsole.log(typeof koffi.load);\n");
  }
  write('src/cli/why-code.ts', 'export const whyCode = async (what: string) => what === "137";\n');
  write(
    'src/cli/demo-program.ts',
    'export const demoProgram = async (...words: string[]) => console.log(words.join());\n',
  );
  write(
    'src/cli/main.ts',
    `import koffi from 'koffi';
export async function main(name: string) {
  const { parse } = await import('yaml');
  const { default: Table } = await import('cli-table3');
  console.log(JSON.stringify([name, typeof koffi.load, parse('a: 1'), typeof Table, __FAULTLINE_VERSION__]));
}
`,
  );
});

afterEach(() => {
  rmSync(root, { recursive: true, force: true });
});

function copy(file: string, change: (text: string) => string): void {
  write(file, change(readFileSync(path.join(here, file), 'utf8')));
}

function write(file: string, text: string): void {
  mkdirSync(path.dirname(path.join(root, file)), { recursive: true });
  writeFileSync(path.join(root, file), text);
}

function build(): ReturnType<typeof bundle> {
  return bundle({ root, outdir: path.join(root, 'out'), version: '7.8.9' });
}

/** A service in small, that asks itself: what it is made of has to work from the files that it was bundled into. */
const service = `import { fastify } from 'fastify';
import swagger from '@fastify/swagger';
import rateLimit from '@fastify/rate-limit';
import { Cron } from 'croner';
import { Counter, Registry } from 'prom-client';
export async function main() {
  const app = fastify({ logger: { level: 'silent' } });
  await app.register(swagger, { openapi: { openapi: '3.1.0' } });
  await app.register(rateLimit, { max: 2 });
  app.get('/x', async () => ({ a: 1 }));
  const url = await app.listen({ host: '127.0.0.1', port: 0 });
  const answers = [];
  for (let i = 0; i < 3; i += 1) {
    const answer = await fetch(url + '/x');
    answers.push([answer.status, Object.keys(await answer.json())]);
  }
  const registry = new Registry();
  new Counter({ name: 'c', help: 'h', registers: [registry] }).inc();
  const next = new Cron('0 0 1 1 *').nextRun().getMonth();
  const spec = app.swagger({ yaml: true });
  await app.close();
  console.log(JSON.stringify([answers, (await registry.metrics()).split('\\n').at(-2), next, spec.includes('/x:')]));
}
`;

describe('bundle', () => {
  test('what the service is made of works from files of its own, which no other command reads', async () => {
    write('src/cli/main.ts', service);
    await build();
    const late = readdirSync(path.join(root, 'out/late'));
    expect(late).toEqual(expect.arrayContaining(['fastify.js', 'fastify-swagger.js', 'fastify-rate-limit.js']));
    expect(readFileSync(path.join(root, 'out/main.js'), 'utf8').length).toBeLessThan(10_000);
    const said = execFileSync(process.execPath, [path.join(root, 'out/faultline.js')], { encoding: 'utf8' });
    const limited = [429, ['statusCode', 'error', 'message']];
    expect(JSON.parse(said)).toEqual([[[200, ['a']], [200, ['a']], limited], 'c 1', 0, true]);
  });

  test('both commands start, and the program loads addons and late packages from where they are', async () => {
    const inputs = await build();
    for (const name of Object.keys(entries)) {
      const file = path.join(root, 'out', `${name}.js`);
      expect(readFileSync(file, 'utf8')).toMatch(/^#!\/usr\/bin\/env node\n/u);
      const said = execFileSync(process.execPath, [file], { encoding: 'utf8' });
      expect(JSON.parse(said)).toEqual([name, 'function', { a: 1 }, 'function', '7.8.9']);
    }
    expect(inputs).toContain('src/cli/main.ts');
    expect(inputs.some((input) => input.startsWith('node_modules/koffi'))).toBe(false);
    expect(readFileSync(path.join(root, 'out/main.js'), 'utf8')).not.toContain('YAML');
  });

  test('each thread has a program of its own, which is found, and loads addons from where they are', async () => {
    copy('src/linux/thread.ts', (text) => text);
    write(
      'src/cli/main.ts',
      `import { Worker } from 'node:worker_threads';
import { threadFile } from '../linux/thread.ts';
export function main() {
  for (const name of ${JSON.stringify(Object.keys(threads))}) new Worker(threadFile(name));
}
`,
    );
    await build();
    const said = execFileSync(process.execPath, [path.join(root, 'out/faultline.js')], { encoding: 'utf8' });
    expect(said).toBe('function\n'.repeat(Object.keys(threads).length));
  });

  test('why with a code, and processes of the demo, do not read the program; anything else does', async () => {
    await build();
    const file = path.join(root, 'out/faultline.js');
    const said = (...args: readonly string[]) => execFileSync(process.execPath, [file, ...args], { encoding: 'utf8' });
    expect(said('why', '137')).toBe('');
    expect(said('demo-program', 'site', '{}')).toBe('site,{}\n');
    for (const args of [['why', 'nginx'], ['why', '137', '-o'], ['why'], ['137'], ['demo-program', 'site'], ['demo']]) {
      expect(said(...args)).toContain('7.8.9');
    }
  });

  test('an entry that imports anything at once is refused by name', async () => {
    write('src/cli/other.ts', 'console.log(1);\n');
    copy('src/cli/bin/chaosd.ts', (text) => `${text}import '../other.ts';\n`);
    await expect(build()).rejects.toThrow(/chaosd\.ts loads src\/cli\/other\.ts before it has checked the host/u);
  });

  test('the check of the host must not import anything either', async () => {
    write('src/cli/other.ts', 'export const whyUnsupported = () => undefined;\n');
    write('src/cli/bin/supported.ts', "export { whyUnsupported } from '../other.ts';\n");
    await expect(build()).rejects.toThrow(/faultline\.ts loads src\/cli\/other\.ts/u);
  });
});
