import { inHeader, writeIn } from './layouts.ts';
import { mapBehindHeader, type Region } from './memory.ts';

const HEADER_WORDS = inHeader.bytes / 4;
/** What stands before the bytes of WRITE, which begin at a page so that they can go to a file with O_DIRECT. */
const WRITE_HEADER_BYTES = inHeader.bytes + writeIn.bytes;

/** FUSE_BUFFER_HEADER_SIZE of libfuse, and more: names, and security contexts that nobody has asked for. */
const OTHER_BYTES = 16_384;

/** One request of the kernel, where it was read to. Fields are given as words of their structures. */
export class Request {
  readonly memory: Region;
  /** How many bytes read(2) must be ready to take. */
  readonly capacity: number;

  constructor(maxWrite: number) {
    this.memory = mapBehindHeader(WRITE_HEADER_BYTES, maxWrite + OTHER_BYTES);
    this.capacity = WRITE_HEADER_BYTES + maxWrite + OTHER_BYTES;
  }

  get length(): number {
    return this.memory.u32(inHeader.len);
  }

  get opcode(): number {
    return this.memory.u32(inHeader.opcode);
  }

  get uniqueLow(): number {
    return this.memory.u32(inHeader.unique);
  }

  get uniqueHigh(): number {
    return this.memory.u32(inHeader.unique + 1);
  }

  /** Ours are below 2^31; one that is not means nothing to the node table either. */
  get node(): number {
    return this.memory.u32(inHeader.nodeid);
  }

  get uid(): number {
    return this.memory.u32(inHeader.uid);
  }

  get gid(): number {
    return this.memory.u32(inHeader.gid);
  }

  get pid(): number {
    return this.memory.u32(inHeader.pid);
  }

  /** A field of the structure behind the header. */
  u32(field: number): number {
    return this.memory.u32(HEADER_WORDS + field);
  }

  u64(field: number): number {
    return this.memory.u64(HEADER_WORDS + field);
  }

  big(field: number): bigint {
    return this.memory.big(HEADER_WORDS + field);
  }

  /** The address of what follows `bytes` bytes of the structure behind the header. */
  addressAfter(bytes: number): number {
    return this.memory.address + inHeader.bytes + bytes;
  }

  /** How long the name there is, without NUL. */
  nameLength(bytes: number): number {
    const begin = inHeader.bytes + bytes;
    return this.memory.endOfString(begin) - begin;
  }

  /** The name there, as a view. */
  name(bytes: number): Uint8Array {
    const begin = inHeader.bytes + bytes;
    return this.memory.bytes.subarray(begin, this.memory.endOfString(begin));
  }

  nameText(bytes: number): string {
    const begin = inHeader.bytes + bytes;
    return this.memory.bytes.toString('utf8', begin, this.memory.endOfString(begin));
  }

  /** A view of `length` bytes behind `bytes` bytes of the structure. */
  payload(bytes: number, length: number): Uint8Array {
    const begin = inHeader.bytes + bytes;
    return this.memory.bytes.subarray(begin, begin + length);
  }
}
