import { execFileSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { askFuse, readFileFaultLimits } from '../../../src/linux/fuse/support.ts';
import { isKernelAtLeast } from '../../../src/linux/kernel-release.ts';
import { buildCrashingProgram } from '../../support/crashing.ts';
import { canMount, namespaceOf, within } from './lab.ts';

function number(file: string): number {
  return Number(readFileSync(file, 'latin1'));
}

describe.skipIf(!canMount)('askFuse', () => {
  test('what this kernel offers fits its release', () => {
    const answer = askFuse();
    expect(answer.status).toBe('usable');
    if (answer.status !== 'usable') return;
    const { kernel } = answer;
    expect(kernel.minorVersion).toBeGreaterThanOrEqual(31);
    // Distributions carry features back, so that an older release says nothing.
    if (isKernelAtLeast(6, 16)) expect(kernel.epochInvalidation).toBe(true);
    if (isKernelAtLeast(6, 6)) expect(kernel.directIoMaps).toBe(true);
    if (isKernelAtLeast(5, 12)) expect(kernel.killsPrivileges).toBe(true);
    // It can be left out of a kernel.
    expect(kernel.passthrough).toBe((kernel.flags & (1n << 37n)) !== 0n);
  });

  test('nothing is left of the question: no mount, no descriptor', () => {
    const before = readdirSync('/proc/self/fd').length;
    askFuse();
    expect(readdirSync('/proc/self/fd')).toHaveLength(before);
    expect(readFileSync('/proc/self/mountinfo', 'utf8')).not.toContain('faultline-doctor');
  });
});

describe.skipIf(!canMount)('askFuse, asked by a program', () => {
  let script = '';
  beforeAll(async () => {
    script = await buildCrashingProgram('fuse-question-program');
  });
  afterAll(() => rmSync(script));

  test('without the capability to mount', () => {
    const args = ['--bounding-set=-sys_admin', '--inh-caps=-sys_admin', '--', process.execPath, script];
    const said = execFileSync('setpriv', args, { encoding: 'utf8' });
    expect(said).toMatch(/^denied fsopen: .*EPERM/u);
  });

  test('where there is no /dev/fuse', async () => {
    const other = await namespaceOf();
    within(other, 'mount', '-t', 'tmpfs', 'dev', '/dev');
    expect(within(other, process.execPath, script)).toMatch(/^missing open \/dev\/fuse/u);
  });
});

test('limits are those that the kernel tells', () => {
  const limits = readFileFaultLimits();
  expect(limits.openFilesCeiling).toBe(number('/proc/sys/fs/nr_open'));
  expect(limits.openFiles.soft).toBeLessThanOrEqual(limits.openFiles.hard ?? Infinity);
  const yama = '/proc/sys/kernel/yama/ptrace_scope';
  expect(limits.ptraceScope).toBe(existsSync(yama) ? number(yama) : undefined);
});
