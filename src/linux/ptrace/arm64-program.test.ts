import { expect, test } from 'vitest';
import { program, signalFrame } from './arm64-program.ts';

/** As `llvm-mc -triple aarch64` makes it from the same instructions: offset, word, text. */
const listing = `
00 b4000194 cbz x20, 0x30
04 f9400268 ldr x8, [x19]
08 a9408660 ldp x0, x1, [x19, #8]
0c a9418e62 ldp x2, x3, [x19, #24]
10 a9429664 ldp x4, x5, [x19, #40]
14 d4000001 svc #0
18 f9001e60 str x0, [x19, #56]
1c 91010273 add x19, x19, #64
20 d1000694 sub x20, x20, #1
24 17fffff7 b 0x0
28 d4000001 svc #0
2c aa0003f7 mov x23, x0
30 d2801588 mov x8, #172
34 d4000001 svc #0
38 aa0003f8 mov x24, x0
3c d2801648 mov x8, #178
40 d4000001 svc #0
44 aa0003e1 mov x1, x0
48 aa1803e0 mov x0, x24
4c aa1503e2 mov x2, x21
50 d2801068 mov x8, #131
54 d4000001 svc #0
58 100000c9 adr x9, 0x70
5c 9100013f mov sp, x9
60 d2801168 mov x8, #139
64 d4000001 svc #0
68 d503201f nop
6c d503201f nop
`;

test('the program is what an assembler makes of it', () => {
  const lines = listing.trim().split('\n');
  const code = Buffer.from(program.code);
  for (const [index, line] of lines.entries()) {
    const [at = '', word] = line.split(' ');
    expect(Number.parseInt(at, 16), line).toBe(index * 4);
    expect(code.readUInt32LE(index * 4).toString(16), line).toBe(word);
  }
  expect(code).toHaveLength(lines.length * 4);
});

test('entries, the end, and the block behind the code, at which sp must point to a multiple of 16', () => {
  expect(program).toMatchObject({ batch: 0, single: 0x28, told: 0x58, home: 0x70, alignment: 16 });
  expect(program.home % 16).toBe(0);
  expect(program.length).toBe(0x70 + signalFrame.length);
  expect(program.length % 8).toBe(0);
});
