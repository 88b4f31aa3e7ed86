import { describe, expect, test } from 'vitest';
import { executableEnds } from './code-cave.ts';

describe('room for code', () => {
  const maps = `
5600a000-5600c000 r--p 00000000 08:01 42                                 /usr/bin/a program
5600c000-5600f000 r-xp 00002000 08:01 42                                 /usr/bin/a program
5700c000-5700f000 rwxp 00000000 00:00 0
7f00a000-7f00c000 r-xp 00000000 08:01 43                                 /lib/libc.so.6
7f00d000-7f00e000 r-xs 00000000 08:01 44                                 /shared
7f00f000-7f010000 r-xp 00000000 00:00 0
7ffe1000-7ffe3000 r-xp 00000000 00:00 0                                  [vdso]
ffffffffff600000-ffffffffff601000 --xp 00000000 00:00 0                  [vsyscall]
`;
  test('the vDSO, then programs and libraries; nothing shared, writable or of the process’s own making', () => {
    expect(executableEnds(maps)).toEqual([0x7ffe3000, 0x5600f000, 0x7f00c000]);
  });
});
