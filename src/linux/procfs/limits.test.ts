import { execFileSync } from 'node:child_process';
import { expect, test } from 'vitest';
import { openFileLimit, openFileLimits } from './limits.ts';

test('what prlimit(1) says of this process', () => {
  const args = ['--pid', String(process.pid), '--nofile', '--noheadings', '--raw', '--output', 'SOFT,HARD'];
  const limits = execFileSync('prlimit', args, { encoding: 'utf8' }).trim();
  const { soft, hard } = openFileLimits();
  expect(`${soft ?? 'unlimited'} ${hard ?? 'unlimited'}`).toBe(limits);
  expect(openFileLimit()).toBe(soft);
});
