import { expect, test } from 'vitest';
import { parseMapFlags, parseMaps } from './memory-maps.ts';

const maps = `55d0c0a00000-55d0c0a21000 r-xp 00002000 fe:00 1039                      /data/bin/tool
7f0000000000-7f0000001000 rw-p 00000000 00:00 0 
7f0000002000-7f0000004000 rw-s 00001000 fe:00 77                         /data/a file (deleted)
7f0000005000-7f0000006000 r--p 00000000 fe:00 78                         /database/x
7ffd00000000-7ffd00021000 rw-p 00000000 00:00 0                          [stack]
`;

test('maps of files below a path', () => {
  expect(parseMaps(maps, '/data/')).toEqual([
    {
      start: 0x55d0c0a00000,
      end: 0x55d0c0a21000,
      permissions: 'r-xp',
      offset: 0x2000,
      inode: 1039n,
      path: '/data/bin/tool',
    },
    {
      start: 0x7f0000002000,
      end: 0x7f0000004000,
      permissions: 'rw-s',
      offset: 0x1000,
      inode: 77n,
      path: '/data/a file (deleted)',
    },
  ]);
});

test('of a mount that stands nowhere any more, all that have a path', () => {
  expect(parseMaps(maps, '/').map(({ path }) => path)).toHaveLength(3);
  expect(parseMaps(maps, '/elsewhere')).toEqual([]);
});

test('flags and protection keys of the maps that are asked for', () => {
  const smaps = `7f0000002000-7f0000004000 rw-s 00001000 fe:00 77  /data/a
Size:                  8 kB
ProtectionKey:         3
VmFlags: rd wr sh mr mw me ms lo 
7f0000005000-7f0000006000 r--p 00000000 fe:00 78  /data/b
VmFlags: rd mr mw me dd 
`;
  const all = parseMapFlags(smaps, new Set([0x7f0000002000, 0x7f0000005000]));
  expect(all.get(0x7f0000002000)).toEqual({
    flags: new Set(['rd', 'wr', 'sh', 'mr', 'mw', 'me', 'ms', 'lo']),
    protectionKey: 3,
  });
  expect(all.get(0x7f0000005000)).toMatchObject({ protectionKey: 0 });
  expect(parseMapFlags(smaps, new Set([0x7f0000005000])).size).toBe(1);
});
