import { bindFunction, bindUnchecked } from './libc.ts';

/*
 * Bounds that the kernel keeps for this process, whatever becomes of its own code: getrlimit(2), alarm(2).
 */

const setrlimit = bindFunction('setrlimit', 'int', ['int', 'pointer']);
const alarm = bindUnchecked('alarm', 'int', ['uint']);

/** include/uapi/asm-generic/resource.h */
const RLIMIT_FSIZE = 1;
const RLIMIT_CORE = 4;

/** struct rlimit: soft and hard, eight bytes each on 64-bit. */
const limits = (value: number): BigUint64Array => new BigUint64Array([BigInt(value), BigInt(value)]);

/** How large a file this process may make from now on, in bytes; beyond it, EFBIG or SIGXFSZ: RLIMIT_FSIZE. */
export function limitFileSize(bytes: number): void {
  setrlimit(RLIMIT_FSIZE, limits(bytes));
}

/** This process leaves no core dump, however large it was. */
export function leaveNoCore(): void {
  setrlimit(RLIMIT_CORE, limits(0));
}

/** The kernel ends this process after so many seconds, by SIGALRM, even if it never comes back from a system call. */
export function endAfter(seconds: number): void {
  alarm(Math.max(1, Math.ceil(seconds)));
}
