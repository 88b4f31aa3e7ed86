/**
 * Builds `dist/`: the bundle, the man page, and the notices of the packages inside the bundle.
 *
 * Run by npm as `prepare`, thus by a bare `npm ci`, and before every test run.
 */
import { whyUnsupported } from '../src/cli/bin/supported.ts';

const why = whyUnsupported({ nodeVersion: process.versions.node, platform: process.platform, arch: process.arch });
if (why === undefined) {
  // Loaded only now, because esbuild and the SQLite addon fail on a host like that with messages that help nobody.
  const { buildDist } = await import('./build/dist.ts');
  console.log(await buildDist());
} else {
  console.error(`Error: ${why}`);
  process.exitCode = 1;
}
