import { expect, test } from 'vitest';
import { homeSlots, program } from './x86-64-program.ts';

/** As `llvm-mc -triple x86_64` makes it from the same instructions: offset, bytes, text. */
const listing = `
00 4885ed          test rbp, rbp
03 742f            je 0x34
05 488b03          mov rax, [rbx]
08 488b7b08        mov rdi, [rbx + 8]
0c 488b7310        mov rsi, [rbx + 16]
10 488b5318        mov rdx, [rbx + 24]
14 4c8b5320        mov r10, [rbx + 32]
18 4c8b4328        mov r8, [rbx + 40]
1c 4c8b4b30        mov r9, [rbx + 48]
20 0f05            syscall
22 48894338        mov [rbx + 56], rax
26 4883c340        add rbx, 64
2a 48ffcd          dec rbp
2d ebd1            jmp 0x0
2f 0f05            syscall
31 4989c7          mov r15, rax
34 b827000000      mov eax, 39
39 0f05            syscall
3b 89c7            mov edi, eax
3d b8ba000000      mov eax, 186
42 0f05            syscall
44 89c6            mov esi, eax
46 4489e2          mov edx, r12d
49 b8ea000000      mov eax, 234
4e 0f05            syscall
50 b80e000000      mov eax, 14
55 bf02000000      mov edi, 2
5a 488d359f000000  lea rsi, [rip + 159] ; 0x100
61 ba00000000      mov edx, 0
66 41ba08000000    mov r10d, 8
6c 0f05            syscall
6e 488d259b000000  lea rsp, [rip + 155] ; 0x110
75 9d              popfq
76 488b259b000000  mov rsp, [rip + 155] ; 0x118
7d b80e000000      mov eax, 14
82 488d357f000000  lea rsi, [rip + 127] ; 0x108
89 0f05            syscall
8b 4c8b3d8e000000  mov r15, [rip + 142] ; 0x120
92 4c8b358f000000  mov r14, [rip + 143] ; 0x128
99 4c8b2d90000000  mov r13, [rip + 144] ; 0x130
a0 4c8b2591000000  mov r12, [rip + 145] ; 0x138
a7 488b2d92000000  mov rbp, [rip + 146] ; 0x140
ae 488b1d93000000  mov rbx, [rip + 147] ; 0x148
b5 4c8b1d94000000  mov r11, [rip + 148] ; 0x150
bc 4c8b1595000000  mov r10, [rip + 149] ; 0x158
c3 4c8b0d96000000  mov r9, [rip + 150] ; 0x160
ca 4c8b0597000000  mov r8, [rip + 151] ; 0x168
d1 488b0598000000  mov rax, [rip + 152] ; 0x170
d8 488b0d99000000  mov rcx, [rip + 153] ; 0x178
df 488b159a000000  mov rdx, [rip + 154] ; 0x180
e6 488b359b000000  mov rsi, [rip + 155] ; 0x188
ed 488b3d9c000000  mov rdi, [rip + 156] ; 0x190
f4 ff259e000000    jmp [rip + 158] ; 0x198
fa 660f1f440000    nop
`;

test('the program is what an assembler makes of it', () => {
  let offset = 0;
  for (const line of listing.trim().split('\n')) {
    const [at = '', bytes = ''] = line.split(/ +/u);
    expect(Number.parseInt(at, 16), line).toBe(offset);
    const found = Buffer.from(program.code.subarray(offset, offset + bytes.length / 2)).toString('hex');
    expect(found, line).toBe(bytes);
    offset += bytes.length / 2;
  }
  expect(program.code).toHaveLength(offset);
});

test('entries, the end, and the block behind the code', () => {
  expect(program).toMatchObject({ batch: 0, single: 0x2f, told: 0x50, home: 0x100 });
  expect(program.length).toBe(0x100 + homeSlots.length * 8);
  // It is written in units of eight bytes.
  expect(program.length % 8).toBe(0);
});
