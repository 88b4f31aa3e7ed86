import { closeSync, openSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { hasModifyReturn, hasOverride } from '../../../src/faults/kernel/abilities.ts';
import { closeTogether } from '../../../src/linux/libc.ts';
import { cli, tempStateDir } from '../../support/cli.ts';

const isRoot = process.geteuid?.() === 0;
/** The kernel of a guest lets calls fail, and has tests of its own. */
const lets = isRoot && (hasOverride() || hasModifyReturn('should_fail_bio'));

const attack = ['attack', 'kernel', '--failtype', 'slab', '--frame', '__x64_sys_mount', '--system-wide'];

describe.skipIf(lets)('on a host whose kernel lets nothing fail', () => {
  test('an attack and its dry run are refused in one sentence, with the remedy', async () => {
    const stateDir = tempStateDir();
    const [lacking, remedy] = isRoot ? ['error injection', 'use a kernel with '] : ['CAP_SYS_ADMIN', 'run as root'];
    const refusal = new RegExp(`^Error: ${lacking} is missing here: .* \\[HOST_UNSUPPORTED\\]\nHint: ${remedy}`, 'u');
    for (const args of [attack, [...attack, '--dry-run']]) {
      const { code, stderr } = await cli([...args, '--state-dir', stateDir]);
      expect([code, stderr]).toStrictEqual([1, expect.stringMatching(refusal)]);
    }
  });

  test('doctor says what is missing', async () => {
    const { stdout, code } = await cli(['doctor', '--state-dir', tempStateDir()]);
    const [others] = stdout.split('\nkernel\n');
    expect(code, 'what few kernels have is not missed').toBe(others?.includes('\n  missing ') === true ? 1 : 0);
    expect(stdout).toMatch(
      isRoot ? /kernel\n {2}missing {3}error injection .*KPROBES/u : /kernel\n {2}missing {3}CAP_SYS_ADMIN/u,
    );
    // What was not built in is not to be had by mounting anything.
    if (/function list .*is not set/u.test(stdout)) expect(stdout).not.toContain('mount debugfs');
  });
});

test('what is wrong with the words is said before the host is looked at, and shown in them', async () => {
  const frame = 'd_alloc_parallel(struct dentry *parent(name->len)';
  const args = ['attack', 'kernel', '--failtype', '0', '--system-wide', '--frame', frame];
  const { code, stderr } = await cli([...args, '--state-dir', tempStateDir()]);
  expect(code).toBe(128);
  expect(stderr.split('\n')).toStrictEqual([
    'Error: the frame: this parenthesis is not closed [ARGUMENT_INVALID]',
    'Hint: each ( needs its )',
    `  ${frame}`,
    '                  ^',
    '',
  ]);
});

test('descriptors are closed together', async () => {
  const fds = Array.from({ length: 20 }, () => openSync('/dev/null', 'r'));
  await closeTogether(fds);
  for (const fd of fds) expect(() => closeSync(fd)).toThrow('EBADF');
});
