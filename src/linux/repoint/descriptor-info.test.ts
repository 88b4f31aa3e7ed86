import { expect, test } from 'vitest';
import { parseDescriptorInfo, parseRegisteredFiles, parseWatches } from './descriptor-info.ts';

/** As Linux 6.18 shows them. */
const plain = 'pos:\t4096\nflags:\t02102001\nmnt_id:\t29\nino:\t18446744073709551615\n';
const locked = `${plain}lock:\t1: POSIX  ADVISORY  WRITE 812 fe:00:1039 10 19
lock:\t2: OFDLCK ADVISORY  READ -1 fe:00:1039 0 EOF
lock:\t3: FLOCK  ADVISORY  WRITE 812 fe:00:1039 0 EOF
lock:\t4: LEASE  ACTIVE    READ 812 fe:00:1039 0 EOF
`;

test('position, flags without close-on-exec, mount and inode', () => {
  expect(parseDescriptorInfo(Buffer.from(plain))).toEqual({
    position: 4096n,
    flags: 0o102001,
    closeOnExec: true,
    mountId: 29,
    inode: 2n ** 64n - 1n,
    locks: [],
  });
});

test('a kernel before 5.14 tells no inode', () => {
  const old = parseDescriptorInfo(Buffer.from('pos:\t0\nflags:\t0100000\nmnt_id:\t14\n'));
  expect(old).toMatchObject({ inode: undefined, closeOnExec: false });
});

test('locks by their owners', () => {
  expect(parseDescriptorInfo(Buffer.from(locked))?.locks).toEqual([
    { type: 'POSIX', mode: 'WRITE', start: 10n, end: 19n },
    { type: 'OFD', mode: 'READ', start: 0n, end: undefined },
    { type: 'FLOCK', mode: 'WRITE', start: 0n, end: undefined },
    { type: 'LEASE', mode: 'READ', start: 0n, end: undefined },
  ]);
});

test('numbers that a double cannot hold', () => {
  const far =
    'pos:\t5550654597214396340\nflags:\t02\nmnt_id:\t29\n' +
    'lock:\t1: POSIX  ADVISORY  READ 8 fe:00:1 9007199254740993 9223372036854775805\n';
  expect(parseDescriptorInfo(Buffer.from(far))).toMatchObject({
    position: 5_550_654_597_214_396_340n,
    locks: [{ start: 9_007_199_254_740_993n, end: 9_223_372_036_854_775_805n }],
  });
});

test('what is something else is nothing', () => {
  expect(parseDescriptorInfo(Buffer.alloc(0))).toBeUndefined();
  expect(parseDescriptorInfo(Buffer.from('pos:\t0\nflags:\t02\n'))).toBeUndefined();
});

test('what inotify and epoll watch', () => {
  const inotify = 'inotify wd:1 ino:9e7e sdev:800013 mask:800afce ignored_mask:0 fhandle-bytes:8\n';
  const epoll = 'tfd:        5 events:       19 data:                5  pos:0 ino:3d sdev:2a\n';
  expect(parseWatches(`${plain}${inotify}${epoll}`)).toEqual([
    { inode: 0x9e7en, device: 0x800013 },
    { inode: 0x3dn, device: 0x2a },
  ]);
});

test('the files of an io_uring, with spaces in their names, and no others', () => {
  const ring = [
    'SqMask:\t0x3',
    'UserFiles:\t3',
    '    0: /data/with\\040space',
    '    1: anon_inode:[eventfd]',
    '    2: /data/b',
    'UserBufs:\t1',
    '    0: 0x1/4',
  ].join('\n');
  expect(parseRegisteredFiles(ring)).toEqual(['/data/with space', '/data/b']);
  expect(parseRegisteredFiles(plain)).toEqual([]);
});
