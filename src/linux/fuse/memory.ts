import { type MappedMemory, mapMemory } from '../libc.ts';

/*
 * Memory that both we and the kernel read and write. None of it is ever given back, and none is made for a request.
 */

const PAGE_BYTES = 4096;

/** A piece of memory that begins wherever it was told to, seen as bytes and as words. */
export class Region {
  readonly address: number;
  readonly words: Uint32Array;
  readonly bytes: Buffer;

  constructor({ address, buffer }: MappedMemory, offset: number, length: number) {
    this.address = address + offset;
    this.words = new Uint32Array(buffer, offset, length >>> 2);
    this.bytes = Buffer.from(buffer, offset, length);
  }

  u32(word: number): number {
    return this.words[word] as number;
  }

  u8(byte: number): number {
    return this.bytes[byte] as number;
  }

  /** Eight bytes as a number: exact up to 2^53. */
  u64(word: number): number {
    return this.u32(word) + this.u32(word + 1) * 0x1_0000_0000;
  }

  /** Eight bytes as they are. */
  big(word: number): bigint {
    return BigInt(this.u32(word)) | (BigInt(this.u32(word + 1)) << 32n);
  }

  put(word: number, value: number): void {
    this.words[word] = value;
  }

  /** @param value up to 2^53; -1 for all ones */
  put64(word: number, value: number): void {
    this.words[word] = value;
    this.words[word + 1] = Math.floor(value / 0x1_0000_0000);
  }

  putBig(word: number, value: bigint): void {
    this.words[word] = Number(value & 0xffff_ffffn);
    this.words[word + 1] = Number((value >> 32n) & 0xffff_ffffn);
  }

  /** A NUL-terminated string. @returns its address */
  putString(byte: number, text: string): number {
    const end = byte + this.bytes.write(text, byte);
    this.bytes[end] = 0;
    return this.address + byte;
  }

  /** Where the next NUL is, from `byte` on. */
  endOfString(byte: number): number {
    let end = byte;
    while (this.u8(end) !== 0) end += 1;
    return end;
  }
}

/**
 * Memory whose payload begins at a page although a header stands before it: what O_DIRECT demands of the buffers of
 * read(2) and write(2).
 *
 * @param headerBytes a multiple of 4 of at most a page
 */
export function mapBehindHeader(headerBytes: number, payloadBytes: number): Region {
  const pages = Math.ceil(payloadBytes / PAGE_BYTES) + 1;
  const memory = mapMemory(pages * PAGE_BYTES);
  return new Region(memory, PAGE_BYTES - headerBytes, headerBytes + payloadBytes);
}

export function mapRegion(bytes: number): Region {
  return new Region(mapMemory(bytes), 0, bytes);
}
