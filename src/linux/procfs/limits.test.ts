import { execFileSync } from 'node:child_process';
import { expect, test } from 'vitest';
import { openFileLimit } from './limits.ts';

test('what prlimit(1) says of this process', () => {
  const args = ['--pid', String(process.pid), '--nofile', '--noheadings', '--raw', '--output', 'SOFT'];
  const limit = execFileSync('prlimit', args, { encoding: 'utf8' }).trim();
  expect(String(openFileLimit() ?? 'unlimited')).toBe(limit);
});
