/**
 * ptrace(2) and waitpid(2) as functions with names: include/uapi/linux/ptrace.h, linux/ptrace.h, asm/ptrace-abi.h.
 *
 * They throw nothing: a thread that vanishes is an ordinary answer here. What fails comes back as negative errno.
 * Whatever they read or write lies in one page that never moves, so that nothing is allocated while a target stands
 * still; the views that they give back hold until the next call of the same kind.
 */
import { bindUnchecked, lastErrno, mapMemory } from '../libc.ts';

const PTRACE_PEEKDATA = 2;
const PTRACE_POKEDATA = 5;
const PTRACE_CONT = 7;
const PTRACE_DETACH = 17;
const PTRACE_GETSIGINFO = 0x4202;
const PTRACE_SETSIGINFO = 0x4203;
const PTRACE_GETREGSET = 0x4204;
const PTRACE_SETREGSET = 0x4205;
const PTRACE_SEIZE = 0x4206;
const PTRACE_INTERRUPT = 0x4207;
const PTRACE_GETSIGMASK = 0x420a;
const PTRACE_SETSIGMASK = 0x420b;
const PTRACE_GET_RSEQ_CONFIGURATION = 0x420f;
const PTRACE_GET_SYSCALL_USER_DISPATCH_CONFIG = 0x4210;

/** System calls of the thread are not looked at by its seccomp filters while it is traced: PTRACE_O_SUSPEND_SECCOMP. */
const SUSPEND_SECCOMP = 1 << 21;

/** What waitpid needs to see threads that are no children of ours, and to come back at once. */
const __WALL = 0x4000_0000;
const WNOHANG = 1;

const ptrace = bindUnchecked('ptrace', 'long', ['long', 'int', 'address', 'address']);
/** The same with the last argument as a value of 64 bits, which a JavaScript number cannot hold. */
const ptraceWord = bindUnchecked('ptrace', 'long', ['long', 'int', 'address', 'ulong']);
const waitpid = bindUnchecked('waitpid', 'int', ['int', 'address', 'int']);

const REGISTERS_AT = 512;
const REGISTERS_MAX = 2048;
const SIGINFO_AT = 256;
/** sizeof(siginfo_t): include/uapi/asm-generic/siginfo.h. */
const SIGINFO_SIZE = 128;
const SIGSET_SIZE = 8;
/** struct ptrace_rseq_configuration; struct ptrace_sud_config is larger by eight bytes. */
const RSEQ_SIZE = 24;
const SUD_SIZE = 32;

interface Arena {
  readonly address: number;
  readonly bytes: Buffer;
}

let mapped: Arena | undefined;

function arena(): Arena {
  if (mapped === undefined) {
    const { address, buffer } = mapMemory(4096);
    mapped = { address, bytes: Buffer.from(buffer) };
  }
  return mapped;
}

function request(number: number, tid: number, address: number, data: number): number {
  const result = ptrace(number, tid, address, data);
  return result === -1 ? -lastErrno() : result;
}

/** Begins to trace a thread, without stopping it. With `suspendSeccomp` EPERM may be about that alone. */
export function seize(tid: number, suspendSeccomp: boolean): number {
  return request(PTRACE_SEIZE, tid, 0, suspendSeccomp ? SUSPEND_SECCOMP : 0);
}

/** Asks a seized thread to stop: it will, with the event PTRACE_EVENT_STOP, once it has left the kernel's waits. */
export function interrupt(tid: number): number {
  return request(PTRACE_INTERRUPT, tid, 0, 0);
}

/** Lets a stopped thread run, with the signal that it stopped for, another, or none (0). */
export function resume(tid: number, signal: number): number {
  return request(PTRACE_CONT, tid, 0, signal);
}

/** Lets a stopped thread run and ceases to trace it. ESRCH: it is not stopped, or dead. */
export function detach(tid: number, signal: number): number {
  return request(PTRACE_DETACH, tid, 0, signal);
}

/**
 * Eight bytes of memory whatever the protection, as a number.
 *
 * @returns undefined if they are not all mapped, or all of their bits are set, which libc tells in the same way
 */
export function peek(tid: number, address: number): bigint | undefined {
  // A number, or a bigint where it does not fit into one.
  const word = BigInt(ptrace(PTRACE_PEEKDATA, tid, address, 0));
  return word === -1n ? undefined : BigInt.asUintN(64, word);
}

/** Writes eight bytes whatever the protection, and whatever `proc_mem.force_override` the kernel was booted with. */
export function poke(tid: number, address: number, bytes: Uint8Array): number {
  const word = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).readBigUInt64LE(0);
  return ptraceWord(PTRACE_POKEDATA, tid, address, word) === -1 ? -lastErrno() : 0;
}

/** Register sets: include/uapi/linux/elf.h. */
export const NT_PRSTATUS = 1;
export const NT_PRFPREG = 2;
export const NT_ARM_SYSTEM_CALL = 0x404;

/** struct iovec stands before the registers that it is about. */
const IOVEC_AT = REGISTERS_AT - 16;

function regset(number: number, tid: number, note: number, length: number): number {
  const { address, bytes } = arena();
  bytes.writeBigUInt64LE(BigInt(address + REGISTERS_AT), IOVEC_AT);
  bytes.writeBigUInt64LE(BigInt(length), IOVEC_AT + 8);
  const result = request(number, tid, note, address + IOVEC_AT);
  return result < 0 ? result : Number(bytes.readBigUInt64LE(IOVEC_AT + 8));
}

/**
 * Reads a register set of a stopped thread.
 *
 * @returns a view of it, as long as the kernel made it (which tells a 32-bit task), or a negative errno
 */
export function readRegisters(tid: number, note: number): Buffer | number {
  const length = regset(PTRACE_GETREGSET, tid, note, REGISTERS_MAX);
  return length < 0 ? length : arena().bytes.subarray(REGISTERS_AT, REGISTERS_AT + length);
}

/** Writes a register set of a stopped thread. */
export function writeRegisters(tid: number, note: number, registers: Uint8Array): number {
  arena().bytes.set(registers, REGISTERS_AT);
  return regset(PTRACE_SETREGSET, tid, note, registers.byteLength);
}

/** The signals that a stopped thread blocks, bit n-1 for signal n; in a ppoll or the like those of before the call. */
export function readSignalMask(tid: number): bigint | number {
  const { address, bytes } = arena();
  const result = request(PTRACE_GETSIGMASK, tid, SIGSET_SIZE, address);
  return result < 0 ? result : bytes.readBigUInt64LE(0);
}

export function writeSignalMask(tid: number, mask: bigint): number {
  const { address, bytes } = arena();
  bytes.writeBigUInt64LE(mask, 0);
  return request(PTRACE_SETSIGMASK, tid, SIGSET_SIZE, address);
}

/** siginfo_t of the signal that a thread stopped for. */
export function readSiginfo(tid: number): Buffer | number {
  const { address, bytes } = arena();
  const result = request(PTRACE_GETSIGINFO, tid, 0, address + SIGINFO_AT);
  return result < 0 ? result : bytes.subarray(SIGINFO_AT, SIGINFO_AT + SIGINFO_SIZE);
}

export function writeSiginfo(tid: number, siginfo: Uint8Array): number {
  const { address, bytes } = arena();
  bytes.set(siginfo, SIGINFO_AT);
  return request(PTRACE_SETSIGINFO, tid, 0, address + SIGINFO_AT);
}

/** Where a thread has its struct rseq, or 0: no registration, or a kernel before 5.13. */
export function rseqAddress(tid: number): number {
  const { address, bytes } = arena();
  const result = request(PTRACE_GET_RSEQ_CONFIGURATION, tid, RSEQ_SIZE, address);
  return result < 0 ? 0 : Number(bytes.readBigUInt64LE(0));
}

/** Are system calls of this thread redirected to itself? prctl(PR_SET_SYSCALL_USER_DISPATCH); unseen before 6.4. */
export function redirectsSyscalls(tid: number): boolean {
  const { address, bytes } = arena();
  return (
    request(PTRACE_GET_SYSCALL_USER_DISPATCH_CONFIG, tid, SUD_SIZE, address) >= 0 && bytes.readBigUInt64LE(0) !== 0n
  );
}

/** What waitpid told of a thread. */
export type Waited =
  /** Nothing new. */
  | { readonly kind: 'nothing' }
  /** It is not traced by us (any more): reaped, or another thread's number since an execve. */
  | { readonly kind: 'lost' }
  | { readonly kind: 'ended' }
  /** PTRACE_EVENT_STOP: because we asked, or, with a signal other than SIGTRAP, because its process is stopped. */
  | { readonly kind: 'stopped'; readonly byJobControl: boolean }
  /** It is about to take a signal, which waits for our word. */
  | { readonly kind: 'signal'; readonly signal: number };

const nothing: Waited = Object.freeze({ kind: 'nothing' });
const lost: Waited = Object.freeze({ kind: 'lost' });
const ended: Waited = Object.freeze({ kind: 'ended' });
const stopped: Waited = Object.freeze({ kind: 'stopped', byJobControl: false });
const stoppedByJobControl: Waited = Object.freeze({ kind: 'stopped', byJobControl: true });

const SIGTRAP = 5;
const PTRACE_EVENT_STOP = 128;

/** Asks what became of a traced thread since it was asked last. Never waits. */
export function waitedFor(tid: number): Waited {
  const { address, bytes } = arena();
  const result = waitpid(tid, address, __WALL | WNOHANG);
  if (result === 0) return nothing;
  // ECHILD; EINTR does not come with WNOHANG.
  if (result === -1) return lost;
  return decodeStop(bytes.readInt32LE(0));
}

/** A wait status of a thread that was seized: `signal << 8 | 0x7f`, and above that the event. ptrace(2). */
export function decodeStop(status: number): Waited {
  if ((status & 0xff) !== 0x7f) return ended;
  const signal = (status >> 8) & 0xff;
  if (status >> 16 !== PTRACE_EVENT_STOP) return Object.freeze({ kind: 'signal', signal });
  return signal === SIGTRAP ? stopped : stoppedByJobControl;
}
