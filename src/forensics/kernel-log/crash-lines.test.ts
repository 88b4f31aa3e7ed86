import { expect, test } from 'vitest';
import { parseCrashLine } from './crash-lines.ts';

test.each([
  [
    'node[42]: segfault at 0 ip 00007f1a2b3c4d5e sp 00007ffd484cf5f0 error 4 in libc-2.31.so[7f1a2b3a0000+14d000]',
    { pid: 42, name: 'node', signal: 11, what: 'segmentation fault, reading address 0x0, a null pointer' },
  ],
  [
    'meta[7]: segfault at 7f0000000010 ip 00007f sp 00007f error 6 in libc.so.6[48c77,7f1a+156000] ' +
      'likely on CPU 1 (core 0, socket 0)',
    { pid: 7, signal: 11, what: 'segmentation fault, writing address 0x7f0000000010', where: 'libc.so.6+0x48c77' },
  ],
  [
    'init[1]: segfault at 0 ip           (null) sp 00007ffd484cf5f0 error 14 in init[400000+1000]',
    { pid: 1, signal: 11 },
  ],
  [
    'traps: mystery000[4242] trap divide error ip:55d0c0de1139 sp:7ffc0 error:0 in mystery000[55d0c0de1000+1000]',
    { pid: 4242, name: 'mystery000', signal: 8, what: 'integer division by zero (divide error)' },
  ],
  [
    'traps: a b[1][2] general protection fault ip:7f sp:7f error:0 in libc[7f+1]',
    { pid: 2, name: 'a b[1]', signal: 11 },
  ],
  ['traps: old[3] general protection ip:7f sp:7f error:0', { pid: 3, signal: 11, where: null }],
  ['traps: x[9] trap invalid opcode ip:400 sp:7f error:0 in x[400000+1000]', { pid: 9, signal: 4 }],
  ['traps: x[9] control protection ip:400 sp:7f error:1(near ret) in x[400000+1000]', { pid: 9, signal: 11 }],
  [
    'app[5]: unhandled level 2 translation fault (11) at 0x00000000, esr 0x92000006, in app[400000+1000]',
    { pid: 5, signal: 11 },
  ],
  ['INFO: task jbd2/sda1-8:301 blocked for more than 120 seconds.', { pid: 301, name: 'jbd2/sda1-8', signal: null }],
  ['Memory failure: 0x1234: Killing qemu:99 due to hardware memory corruption', { pid: 99, name: 'qemu', signal: 7 }],
  [
    'audit: type=1701 audit(1700000000.1:5): auid=0 uid=0 gid=0 ses=1 pid=77 comm="app" exe="/app" sig=6 res=1',
    { pid: 77, name: 'app', signal: 6 },
  ],
  [
    'audit: type=1326 audit(1700000000.1:5): auid=0 uid=0 ses=1 pid=78 comm=612062 exe="/a" sig=31 syscall=1',
    { pid: 78, name: 'a b', signal: 31 },
  ],
])('%s', (line, expected) => {
  expect(parseCrashLine(line)).toMatchObject(expected);
});

test.each([
  'audit: type=1326 audit(1700000000.1:5): pid=78 comm="a" exe="/a" sig=0 arch=c000003e syscall=1',
  'node[42]: segfault at 0 ip 00007f1a2b3c4d5e sp 0000',
  'traps: mystery000[4242] trap divide error ip:55d0',
  'he said segfault at noon',
  '',
])('none: %s', (line) => {
  expect(parseCrashLine(line)).toBeUndefined();
});
