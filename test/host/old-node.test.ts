import { execFile, execFileSync } from 'node:child_process';
import { existsSync, mkdirSync } from 'node:fs';
import path from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';

const root = path.resolve(import.meta.dirname, '../..');

interface Ending {
  readonly code: unknown;
  readonly stdout: string;
  readonly stderr: string;
}

function run(program: string, args: readonly string[]): Promise<Ending> {
  return new Promise((resolve) => {
    execFile(program, args, { timeout: 120_000 }, (error, stdout, stderr) => {
      resolve({ code: error === null ? 0 : error.code, stdout, stderr });
    });
  });
}

/**
 * An old Node.js, from the npm package that holds nothing but its binary; kept for the next run.
 *
 * @returns its path, or undefined where it is not there and cannot be fetched
 */
function fetchNode(major: number): string | undefined {
  const folder = path.join(root, `node_modules/.cache/faultline/node-${major}`);
  const packageName = `node-linux-${process.arch}`;
  const binary = path.join(folder, 'node_modules', packageName, 'bin/node');
  if (existsSync(binary)) return binary;
  mkdirSync(folder, { recursive: true });
  const install = ['install', '--prefix', folder, '--ignore-scripts', '--no-save', '--no-audit', '--no-fund'];
  try {
    execFileSync('npm', [...install, `${packageName}@${major}`], { cwd: folder, stdio: 'pipe', timeout: 180_000 });
  } catch (error) {
    console.warn(`SKIPPED: Node.js ${major} could not be fetched to test with: ${String(error)}`);
  }
  return existsSync(binary) ? binary : undefined;
}

describe('on Node.js 18', () => {
  const major = 18;
  let oldNode: string | undefined;

  beforeAll(() => {
    oldNode = fetchNode(major);
  }, 200_000);

  test.for(['faultline', 'chaosd'])('%s says in one sentence what it needs, and ends', async (name, { skip }) => {
    if (oldNode === undefined) {
      skip(`Node.js ${major} could not be fetched`);
      return;
    }
    const { stdout: nodeVersion } = await run(oldNode, ['--version']);
    expect(nodeVersion).toMatch(new RegExp(`^v${major}\\.`, 'u'));
    const ending = await run(oldNode, [path.join(root, 'dist', `${name}.js`), 'version']);
    expect(ending).toEqual({
      code: 1,
      stdout: '',
      stderr: `Error: Faultline needs Node.js 20.19 or newer, and this is ${nodeVersion.trim().slice(1)}\n`,
    });
  });
});
