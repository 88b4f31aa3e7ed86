import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, onTestFinished, test } from 'vitest';
import { parseMounts, readMounts, unescapeOctal } from './mount-table.ts';
import { hasExited, sendSignal } from './pidfd.ts';
import { eventually, startFamily } from './test-support/processes.ts';

const isRoot = process.geteuid?.() === 0;

describe('parseMounts', () => {
  test('the example of proc_pid_mountinfo(5), and its neighbours', () => {
    const text = [
      '36 35 98:0 /mnt1 /mnt2 rw,noatime master:1 - ext3 /dev/root rw,errors=continue',
      '37 35 0:21 / /a\\040b\\011c\\134d rw - tmpfs none rw',
      '38 35 0:22 / /x rw shared:7 master:2 propagate_from:3 unbindable - fuse.sshfs host:/dir\\043 ro,user_id=0',
      '39 35 0:23 / /empty\\012source rw -  tmpfs  rw',
      '40 35 0:24 / /nosource rw - tmpfs  rw',
      '',
      'not a mount',
      '41 35 0:25 / /cut rw - tmpfs',
    ].join('\n');
    const mounts = parseMounts(text);
    expect(mounts[0]).toEqual({
      mountId: 36,
      parentId: 35,
      device: '98:0',
      root: '/mnt1',
      mountPoint: '/mnt2',
      options: ['rw', 'noatime'],
      propagation: ['master:1'],
      fsType: 'ext3',
      source: '/dev/root',
      superOptions: ['rw', 'errors=continue'],
    });
    expect(mounts[1]).toMatchObject({ mountPoint: '/a b\tc\\d', propagation: [] });
    expect(mounts[2]).toMatchObject({
      propagation: ['shared:7', 'master:2', 'propagate_from:3', 'unbindable'],
      fsType: 'fuse.sshfs',
      source: 'host:/dir#',
    });
    expect(mounts.find(({ mountId }) => mountId === 40)).toMatchObject({ source: '', superOptions: ['rw'] });
    expect(mounts.map(({ mountId }) => mountId)).not.toContain(41);
  });

  test('a path of any characters comes back from the kernel’s escapes', () => {
    const escape = (path: string): string =>
      path.replace(/[ \t\n\\#]/g, (c) => `\\${c.charCodeAt(0).toString(8).padStart(3, '0')}`);
    const path = fc.oneof(
      fc.string({ unit: 'grapheme' }),
      fc.array(fc.constantFrom(' ', '\t', '\n', '\\', '#', '-', '0', '4', 'ä')).map((parts) => parts.join('')),
    );
    fc.assert(
      fc.property(path, path, (mountPoint, root) => {
        expect(unescapeOctal(escape(mountPoint))).toBe(mountPoint);
        const [mount] = parseMounts(`1 0 0:1 /${escape(root)} /${escape(mountPoint)} rw shared:1 - tmpfs none rw\n`);
        expect(mount).toMatchObject({ root: `/${root}`, mountPoint: `/${mountPoint}`, fsType: 'tmpfs' });
      }),
    );
  });
});

test('our own mounts, one for each line', async () => {
  const text = (): string => readFileSync('/proc/self/mountinfo', 'utf8');
  const look = () => ({ lines: text(), mounts: readMounts('self'), again: readMounts(process.pid) });
  let { lines, mounts, again } = look();
  // Others on this host may mount something just now.
  await eventually(() => {
    ({ lines, mounts, again } = look());
    return text() === lines;
  });
  expect(mounts).toHaveLength(lines.trimEnd().split('\n').length);
  expect(mounts).toContainEqual(expect.objectContaining({ mountPoint: '/proc', fsType: 'proc', root: '/' }));
  expect(again).toEqual(mounts);
});

test('undefined when there is no such process, or it is a zombie', async () => {
  expect(readMounts(2 ** 31 - 1)).toBeUndefined();
  const { grandchild } = await startFamily('sleep 1000 & echo $!; exec sleep 1000');
  sendSignal(grandchild, 9);
  await eventually(() => hasExited(grandchild));
  expect(readMounts(grandchild.pid)).toBeUndefined();
});

test.runIf(isRoot)('a real mount whose name needs every escape', () => {
  const folder = mkdtempSync(join(tmpdir(), 'faultline-mounts-'));
  const mountPoint = join(folder, 'a b\tc\nd\\e#f ünïcödé \\040');
  mkdirSync(mountPoint);
  onTestFinished(() => rmSync(folder, { recursive: true }));
  execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=4k,ro', 'some source', mountPoint]);
  onTestFinished(() => void execFileSync('umount', [mountPoint]));
  const mount = readMounts('self')?.find((candidate) => candidate.mountPoint === mountPoint);
  expect(mount).toMatchObject({ root: '/', fsType: 'tmpfs', source: 'some source' });
  expect(mount?.options).toContain('ro');
  expect(mount?.superOptions).toContain('size=4k');
});
