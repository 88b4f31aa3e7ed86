import { execFileSync } from 'node:child_process';
import { chmodSync, mkdirSync, readFileSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { bundle, entries } from './bundle.ts';
import { withBuildLock } from './lock.ts';
import { thirdPartyNotices } from './notices.ts';
import { publish } from './publish.ts';
import { swaggerUiFiles, writeSwaggerUi } from './swagger-ui.ts';

const root = path.resolve(import.meta.dirname, '../..');

/**
 * Builds into a folder of its own and moves the result into `dist/`. Builds that run at once take turns.
 *
 * @returns what was done, in one line
 */
export async function buildDist(): Promise<string> {
  const startedAt = performance.now();
  const changed = await withBuildLock(root, async () => {
    removeLeftovers();
    const stage = path.join(root, `.dist-${process.pid}`);
    try {
      await fill(stage);
      return publish(stage, path.join(root, 'dist'));
    } finally {
      rmSync(stage, { recursive: true, force: true });
    }
  });
  const tookMs = Math.round(performance.now() - startedAt);
  const what = changed === 0 ? 'unchanged' : `${changed} files changed`;
  return `dist: ${sizeKib(path.join(root, 'dist'))} KiB, ${what}, ${tookMs} ms`;
}

async function fill(stage: string): Promise<void> {
  mkdirSync(path.join(stage, 'man'), { recursive: true });
  const inputs = await bundle({ root, outdir: stage, version: packageVersion() });
  // The sources are ES modules, as package.json says; the bundle is CommonJS.
  writeFileSync(path.join(stage, 'package.json'), '{ "type": "commonjs" }\n');
  for (const name of Object.keys(entries)) {
    chmodSync(path.join(stage, `${name}.js`), 0o755);
  }
  writeFileSync(path.join(stage, 'man/faultline.1'), manPage(path.join(stage, 'faultline.js')));
  writeSwaggerUi(root, path.join(stage, 'swagger-ui'));
  writeFileSync(path.join(stage, 'THIRD-PARTY-NOTICES.txt'), thirdPartyNotices(root, [...inputs, ...swaggerUiFiles]));
}

/** The bundle that was just built writes its own man page, so that the page cannot differ from the commands. */
function manPage(program: string): string {
  const page = execFileSync(process.execPath, [program, 'man'], { encoding: 'utf8', timeout: 60_000 });
  if (!/^\.TH /mu.test(page)) {
    throw new Error('`faultline man` did not print a man page');
  }
  return page;
}

/** What a build that was killed has left. The lock is ours, so no other build is using any of these. */
function removeLeftovers(): void {
  for (const name of readdirSync(root)) {
    if (/^\.dist-\d+$/u.test(name)) {
      rmSync(path.join(root, name), { recursive: true, force: true });
    }
  }
}

function packageVersion(): string {
  const manifest = JSON.parse(readFileSync(path.join(root, 'package.json'), 'utf8')) as { version: string };
  return manifest.version;
}

function sizeKib(folder: string): number {
  const files = readdirSync(folder, { recursive: true, encoding: 'utf8' }).map((name) => path.join(folder, name));
  return Math.round(files.reduce((sum, file) => sum + (statSync(file).isFile() ? statSync(file).size : 0), 0) / 1024);
}
