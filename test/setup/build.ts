import { rmSync } from 'node:fs';
import path from 'node:path';
import { buildDist } from '../../scripts/build/dist.ts';
import { root } from '../../scripts/lib/tree.ts';

/**
 * Builds before the tests that run the commands, so that none runs against a bundle older than the sources.
 *
 * If that fails the run has failed, but the tests of the lower floors are still worth having. The others find no bundle
 * at all, rather than yesterday's.
 */
export async function setup(): Promise<() => void> {
  try {
    console.log(await buildDist());
    return () => {};
  } catch (error) {
    rmSync(path.join(root, 'dist'), { recursive: true, force: true });
    console.error('The build has failed, and with it every test that runs a command:', error);
    return () => {
      process.exitCode = 1;
    };
  }
}
