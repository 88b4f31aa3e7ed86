#!/usr/bin/env node
import { whyUnsupported } from './supported.ts';

const why = whyUnsupported({
  nodeVersion: process.versions.node,
  platform: process.platform,
  arch: process.arch,
});
if (why === undefined) {
  // Not a static import: that would be loaded, and its addons with it, before the check above has run.
  void import('../main.ts').then(({ main }) => main('faultline'));
} else {
  process.stderr.write(`Error: ${why}\n`);
  process.exitCode = 1;
}
