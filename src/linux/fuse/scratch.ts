import { linuxDirent, statx, STATX_BYTES } from './layouts.ts';
import { mapRegion, type Region } from './memory.ts';

/** Where in the scratch memory of a thread something is, in bytes. */
const Place = Object.freeze({
  STATX: 0,
  PROC_PATH: STATX_BYTES,
  /** Two timespecs, a flock, a backing map, offsets: whatever one call needs. */
  ARGUMENT: 320,
  EMPTY: 448,
  DOT: 456,
  CAPABILITY: 464,
  HANDLE: 512,
  PATH: 1024,
  NAME: 8192,
  ENTRIES: 16_384,
});

const procFolder = '/proc/self/fd/';
/** PATH_MAX, with its NUL. */
export const PATH_BYTES = 4096;
/** How much of a folder is read at a time. */
export const ENTRIES_BYTES = 65_536;

/** Memory of one thread for what it tells the kernel and is told by it, besides requests and answers. */
export class Scratch {
  readonly region: Region = mapRegion(Place.ENTRIES + ENTRIES_BYTES);
  readonly statx = this.region.address + Place.STATX;
  readonly argument = this.region.address + Place.ARGUMENT;
  /** First word of {@link argument}. */
  readonly argumentWord = Place.ARGUMENT / 4;
  readonly empty = this.region.address + Place.EMPTY;
  readonly dot = this.region.putString(Place.DOT, '.');
  /** The name of what gives a program capabilities: capabilities(7). */
  readonly capability = this.region.putString(Place.CAPABILITY, 'security.capability');
  readonly handle = this.region.address + Place.HANDLE;
  readonly handleWord = Place.HANDLE / 4;
  readonly path = this.region.address + Place.PATH;
  readonly name = this.region.address + Place.NAME;
  readonly entries = this.region.address + Place.ENTRIES;
  readonly entriesByte = Place.ENTRIES;

  constructor() {
    this.region.putString(Place.PROC_PATH, procFolder);
  }

  /** A path of an open descriptor, for calls that have no form for those with O_PATH. It holds until the next one. */
  procPath(descriptor: number): number {
    const { bytes, address } = this.region;
    let end = Place.PROC_PATH + procFolder.length;
    let power = 1;
    while (power * 10 <= descriptor) power *= 10;
    for (; power >= 1; power = Math.floor(power / 10)) {
      bytes[end] = 0x30 + (Math.floor(descriptor / power) % 10);
      end += 1;
    }
    bytes[end] = 0;
    return address + Place.PROC_PATH;
  }

  /** What readlink(2) has put at {@link path}. */
  pathText(length: number): string {
    return this.region.bytes.toString('utf8', Place.PATH, Place.PATH + length);
  }

  /** Puts a name where {@link name} is. @returns its address */
  putName(name: Uint8Array): number {
    this.region.bytes.set(name, Place.NAME);
    this.region.bytes[Place.NAME + name.length] = 0;
    return this.name;
  }

  /** A field of the last statx(2). */
  stat(field: number): number {
    return this.region.u32(field);
  }

  stat64(field: number): number {
    return this.region.u64(field);
  }

  /** st_mode of the last statx(2). */
  mode(): number {
    return this.region.u32(statx.mode) & 0xffff;
  }

  /** The NUL-terminated name at `byte`, as a view. */
  nameAt(byte: number): Uint8Array {
    return this.region.bytes.subarray(byte, this.region.endOfString(byte));
  }

  /** A view of this memory as text. */
  text(name: Uint8Array): string {
    const begin = name.byteOffset - this.region.bytes.byteOffset;
    return this.region.bytes.toString('utf8', begin, begin + name.length);
  }

  /** How long the directory entry at `byte` is, and what is in it. */
  entryLength(byte: number): number {
    return this.region.u8(byte + linuxDirent.reclen) | (this.region.u8(byte + linuxDirent.reclen + 1) << 8);
  }
}
