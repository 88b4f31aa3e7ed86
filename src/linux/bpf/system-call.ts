import { addressOf, bindSyscall } from '../libc.ts';

/*
 * bpf(2): a command and a `union bpf_attr`. Commands, types and the offsets of fields are those of
 * include/uapi/linux/bpf.h; they are the same on every architecture.
 */

const native = bindSyscall('bpf', ['int', 'pointer', 'uint']);

/** enum bpf_cmd */
export const BpfCommand = {
  MAP_CREATE: 0,
  MAP_LOOKUP_ELEM: 1,
  MAP_UPDATE_ELEM: 2,
  MAP_DELETE_ELEM: 3,
  MAP_GET_NEXT_KEY: 4,
  PROG_LOAD: 5,
  PROG_TEST_RUN: 10,
  PROG_GET_FD_BY_ID: 13,
  MAP_GET_FD_BY_ID: 14,
  OBJ_GET_INFO_BY_FD: 15,
  RAW_TRACEPOINT_OPEN: 17,
  MAP_LOOKUP_BATCH: 24,
  LINK_CREATE: 28,
} as const;

/** Memory whose address stays the same while it is referenced: never so small that V8 keeps it inside an object. */
export function stableMemory(bytes: number): Buffer {
  return Buffer.from(new ArrayBuffer(Math.max(128, bytes)), 0, bytes);
}

/** A copy of bytes in memory whose address stays the same. */
export function stableCopy(bytes: Uint8Array): Buffer {
  const copy = stableMemory(bytes.length);
  copy.set(bytes);
  return copy;
}

/** The NUL-terminated text in memory whose address stays the same. */
export function stableText(text: string): Buffer {
  return stableCopy(Buffer.from(`${text}\0`, 'utf8'));
}

/** How wide a field of `union bpf_attr` is, where it stands, and what it holds; memory stands for its address. */
export type AttributeField =
  | readonly [offset: number, bits: 32, value: number]
  | readonly [offset: number, bits: 64, value: bigint | Buffer];

/** A `union bpf_attr` with these fields, and what they point to, which must live as long as the call. */
export interface Attributes {
  readonly bytes: Buffer;
  readonly kept: readonly Buffer[];
}

export function attributes(size: number, fields: readonly AttributeField[]): Attributes {
  const bytes = stableMemory(size);
  const kept: Buffer[] = [];
  for (const field of fields) {
    if (field[1] === 32) bytes.writeInt32LE(field[2] | 0, field[0]);
    else if (typeof field[2] === 'bigint') bytes.writeBigUInt64LE(field[2], field[0]);
    else {
      kept.push(field[2]);
      bytes.writeBigUInt64LE(addressOf(field[2]), field[0]);
    }
  }
  return { bytes, kept };
}

/**
 * @returns what the command returns: a descriptor, which is closed on exec, or 0
 * @throws SyscallError
 */
export function bpf(command: number, { bytes }: Attributes): number {
  return native(command, bytes, bytes.length);
}
