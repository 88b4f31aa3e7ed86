#!/usr/bin/env node
import { whyUnsupported } from './supported.ts';

const why = whyUnsupported({
  nodeVersion: process.versions.node,
  platform: process.platform,
  arch: process.arch,
});

/** `why CODE`, and not a word more, and the processes of the demo have small programs of their own. */
async function isAnswered([command, what, ...more]: readonly string[]): Promise<boolean> {
  if (what === undefined) return false;
  if (command === 'why' && more.length === 0) {
    const { whyCode } = await import('../why-code.ts');
    return whyCode(what);
  }
  const [order] = more;
  if (command !== 'demo-program' || order === undefined) return false;
  const { demoProgram } = await import('../demo-program.ts');
  await demoProgram(what, order);
  return true;
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
