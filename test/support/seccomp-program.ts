/**
 * A target with a seccomp filter that kills it for every call that tracing has it make: SECCOMP_RET_KILL_PROCESS for
 * the numbers of its argument, in all of its threads. It prints a line, and one for each line that it reads.
 */
import { createInterface } from 'node:readline';
import { addressOf, bindFunction } from '../../src/linux/libc.ts';

const prctl = bindFunction('prctl', 'int', ['int', 'ulong', 'ulong', 'ulong', 'ulong']);
const seccomp = bindFunction('syscall', 'long', ['long', 'uint', 'uint', 'pointer']);

/** include/uapi/linux/prctl.h, seccomp.h, filter.h; struct sock_filter is u16 code, u8 jt, u8 jf, u32 k. */
const PR_SET_NO_NEW_PRIVS = 38;
const NR_SECCOMP = process.arch === 'arm64' ? 277 : 317;
const SECCOMP_SET_MODE_FILTER = 1;
const SECCOMP_FILTER_FLAG_TSYNC = 1;
const LOAD_NUMBER = [0x20, 0, 0, 0] as const;
const RETURN_KILL = [0x06, 0, 0, 0x8000_0000] as const;
const RETURN_ALLOW = [0x06, 0, 0, 0x7fff_0000] as const;
const ifEqual = (k: number): readonly number[] => [0x15, 0, 1, k];

const numbers = (process.argv[2] ?? '').split(',').map(Number);
const filter = [LOAD_NUMBER, ...numbers.flatMap((number) => [ifEqual(number), RETURN_KILL]), RETURN_ALLOW];
const code = Buffer.alloc(filter.length * 8);
for (const [index, [opcode = 0, yes = 0, no = 0, k = 0]] of filter.entries()) {
  code.writeUInt16LE(opcode, index * 8);
  code.writeUInt8(yes, index * 8 + 2);
  code.writeUInt8(no, index * 8 + 3);
  code.writeUInt32LE(k, index * 8 + 4);
}
const program = Buffer.alloc(16);
program.writeUInt16LE(filter.length);
program.writeBigUInt64LE(addressOf(code), 8);
prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
seccomp(NR_SECCOMP, SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_TSYNC, program);
console.log('filtered');
createInterface({ input: process.stdin }).on('line', (line) => console.log(line));
