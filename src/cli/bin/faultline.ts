#!/usr/bin/env node
import { whyUnsupported } from './supported.ts';

const why = whyUnsupported({
  nodeVersion: process.versions.node,
  platform: process.platform,
  arch: process.arch,
});

/** `why CODE`, and not a word more, has a small program of its own. */
async function isAnswered([command, what, ...more]: readonly string[]): Promise<boolean> {
  if (command !== 'why' || what === undefined || more.length > 0) return false;
  const { whyCode } = await import('../why-code.ts');
  return whyCode(what);
}

async function run(): Promise<void> {
  if (await isAnswered(process.argv.slice(2))) return;
  // Not a static import: that would be loaded, and its addons with it, before the check above has run.
  const { main } = await import('../main.ts');
  await main('faultline');
}

if (why === undefined) {
  void run();
} else {
  process.stderr.write(`Error: ${why}\n`);
  process.exitCode = 1;
}
