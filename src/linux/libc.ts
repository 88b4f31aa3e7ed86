/**
 * The one door to native code: typed JavaScript functions over libc functions and raw system calls.
 *
 * koffi is loaded when the first binding is first called, not when this module is imported: loading it takes about ten
 * milliseconds, which commands that never leave JavaScript should not pay.
 *
 * Every call is synchronous and runs on the calling thread, as ptrace, setns, unshare and prctl demand.
 */
import { createRequire } from 'node:module';
import { architecture } from './arch.ts';
import { SyscallError } from './syscall-error.ts';
import { type SyscallName, syscallNumber } from './syscall-numbers.ts';

type Koffi = typeof import('koffi');
type Library = ReturnType<Koffi['load']>;

/**
 * Memory for the kernel to read or write: a Buffer or typed array, which is handed over in place and not copied, an
 * address, or NULL.
 */
export type Pointer = NodeJS.ArrayBufferView | bigint | null;

/** C types of arguments, and what JavaScript passes for them. */
interface ArgumentTypes {
  readonly int: number;
  readonly uint: number;
  readonly long: number | bigint;
  readonly ulong: number | bigint;
  readonly size_t: number;
  readonly pointer: Pointer;
  /** Memory by its address as a plain number, which costs less than a bigint: for calls that are made very often. */
  readonly address: number;
  /** `const char *`: a NUL-terminated UTF-8 copy. */
  readonly string: string;
}

export type ArgumentType = keyof ArgumentTypes;

type Values<Types extends readonly ArgumentType[]> = { [Index in keyof Types]: ArgumentTypes[Types[Index]] };

const koffiTypes: Readonly<Record<ArgumentType, string>> = {
  int: 'int',
  uint: 'uint',
  long: 'long',
  ulong: 'ulong',
  size_t: 'size_t',
  pointer: 'void *',
  address: 'uintptr_t',
  string: 'str',
};

let koffi: Koffi | undefined;
let libc: Library | undefined;

function loadKoffi(): Koffi {
  koffi ??= createRequire(import.meta.url)('koffi') as Koffi;
  return koffi;
}

/** The symbols of this very process (dlopen(NULL)): its libc, be it glibc or musl, without knowing a file name. */
function loadLibc(): Library {
  libc ??= loadKoffi().load(null);
  return libc;
}

type Native = (...values: readonly unknown[]) => number;

function declare(name: string, result: 'int' | 'long', types: readonly string[]): Native {
  return loadLibc().func(name, result, [...types]) as Native;
}

/**
 * Binds a libc function that returns -1 and sets errno when it fails.
 *
 * The function given back returns the C result and throws `SyscallError` on -1.
 */
export function bindFunction<const Types extends readonly ArgumentType[]>(
  name: string,
  result: 'int' | 'long',
  types: Types,
): (...values: Values<Types>) => number {
  return throwing(name, bindUnchecked(name, result, types));
}

/**
 * Binds a libc function whose result means what the caller says it means: nothing is thrown.
 *
 * For functions that return an errno (getpwnam_r), and where failure is too common for an exception (open on /proc).
 * `lastErrno()` right after the call tells why it failed.
 */
export function bindUnchecked<const Types extends readonly ArgumentType[]>(
  name: string,
  result: 'int' | 'long',
  types: Types,
): (...values: Values<Types>) => number {
  let native: Native | undefined;
  return (...values) => {
    native ??= declare(
      name,
      result,
      types.map((type) => koffiTypes[type]),
    );
    return native(...values);
  };
}

/**
 * Binds a libc function now, loading koffi if need be, with nothing between the caller and the native code.
 *
 * For loops that make hundreds of thousands of calls a second. -1 means failure, and `lastErrno()` tells which.
 */
export function bindNow<const Types extends readonly ArgumentType[]>(
  name: string,
  result: 'int' | 'long',
  types: Types,
): (...values: Values<Types>) => number {
  return declare(
    name,
    result,
    types.map((type) => koffiTypes[type]),
  );
}

/**
 * Binds a system call by its number on this architecture. The function given back throws `SyscallError` on failure.
 *
 * syscall(2) is variadic in C; on x86_64 and arm64 integer arguments of variadic and plain functions travel in the
 * same registers, so it is declared with the plain types of the call itself.
 */
export function bindSyscall<const Types extends readonly ArgumentType[]>(
  name: SyscallName,
  types: Types,
): (...values: Values<Types>) => number {
  let native: Native | undefined;
  let number = 0;
  return throwing(name, (...values) => {
    if (native === undefined) {
      number = syscallNumber(name, architecture());
      native = declare('syscall', 'long', ['long', ...types.map((type) => koffiTypes[type])]);
    }
    return native(number, ...values);
  });
}

/** Like {@link bindNow}, for a system call that a libc may lack. */
export function bindSyscallNow<const Types extends readonly ArgumentType[]>(
  name: SyscallName,
  types: Types,
): (...values: Values<Types>) => number {
  const number = syscallNumber(name, architecture());
  const native = declare('syscall', 'long', ['long', ...types.map((type) => koffiTypes[type])]);
  return (...values) => native(number, ...values);
}

function throwing<Arguments extends readonly unknown[]>(
  name: string,
  call: (...values: Arguments) => number,
): (...values: Arguments) => number {
  return (...values) => {
    const result = call(...values);
    if (result === -1) throw new SyscallError(name, lastErrno());
    return result;
  };
}

/** errno of this thread: meaningful only directly after a call that failed. */
export function lastErrno(): number {
  return loadKoffi().errno();
}

/**
 * The address of a buffer's memory, for structures that hold pointers (iovec, bpf_attr).
 *
 * The address stays valid as long as the buffer is referenced: keep the buffer in a variable until the call is over.
 */
export function addressOf(memory: NodeJS.ArrayBufferView): bigint {
  return loadKoffi().address(memory);
}

/** The NUL-terminated UTF-8 string at an address. */
export function stringAt(address: bigint): string {
  return loadKoffi().decode.string(address);
}

/** Memory that does not move, and is never given back: for structures that the kernel reads and writes all the time. */
export interface MappedMemory {
  readonly address: number;
  readonly buffer: ArrayBuffer;
}

function nativeMmap(): Native {
  return loadLibc().func('mmap', 'uintptr_t', ['uintptr_t', 'size_t', 'int', 'int', 'int', 'long']) as Native;
}

/** Private anonymous memory of zeros, beginning at a page; what is not touched costs nothing. mmap(2). */
export function mapMemory(bytes: number): MappedMemory {
  const readWrite = 0x1 | 0x2;
  const privateAnonymous = 0x2 | 0x20;
  const address = nativeMmap()(0, bytes, readWrite, privateAnonymous, -1, 0);
  // MAP_FAILED is the highest address, which a number cannot hold exactly.
  if (address > Number.MAX_SAFE_INTEGER) throw new SyscallError('mmap', lastErrno());
  return { address, buffer: loadKoffi().view(BigInt(address), bytes) };
}

/** Memory that is shared with what a descriptor stands for, until it is given back. */
export interface SharedMapping extends MappedMemory {
  unmap(): void;
}

/**
 * A part of what a descriptor stands for, as memory that others may read and write at the same time: mmap(2) with
 * MAP_SHARED. Nothing of it may be touched once it is given back.
 *
 * @param offset of the part; a multiple of the page size
 * @throws {SyscallError}
 */
export function mapShared(fd: number, bytes: number, offset: number, access: 'read' | 'write'): SharedMapping {
  const protection = access === 'read' ? 0x1 : 0x1 | 0x2;
  const shared = 0x1;
  const address = nativeMmap()(0, bytes, protection, shared, fd, offset);
  if (address > Number.MAX_SAFE_INTEGER) throw new SyscallError('mmap', lastErrno());
  return {
    address,
    buffer: loadKoffi().view(BigInt(address), bytes),
    unmap: () => void declare('munmap', 'int', ['uintptr_t', 'size_t'])(address, bytes),
  };
}

/**
 * Close descriptors at the same time, each in a thread of its own, and wait: where closing one makes the kernel wait
 * for long, all of them take as long as one. As many at once as libuv has threads (UV_THREADPOOL_SIZE).
 */
export async function closeTogether(fds: readonly number[]): Promise<void> {
  const close = loadLibc().func('close', 'int', ['int']);
  await Promise.all(
    fds.map(
      (fd) =>
        new Promise<void>((resolve) => {
          close.async(fd, () => {
            resolve();
          });
        }),
    ),
  );
}
