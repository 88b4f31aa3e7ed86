import { lastErrno } from '../libc.ts';
import { outHeader } from './layouts.ts';
import { mapBehindHeader, type Region } from './memory.ts';
import type { Request } from './request.ts';
import type { SystemCalls } from './system-calls.ts';

const HEADER_WORDS = outHeader.bytes / 4;

/** The answer that is being written. Fields are given as words behind its header. */
export class Reply {
  readonly memory: Region;
  /** Where what follows the header begins: at a page, so that read(2) of a file with O_DIRECT can put it there. */
  readonly address: number;
  private readonly calls: SystemCalls;

  constructor(calls: SystemCalls, maxPayload: number) {
    this.calls = calls;
    this.memory = mapBehindHeader(outHeader.bytes, maxPayload);
    this.address = this.memory.address + outHeader.bytes;
  }

  put(field: number, value: number): void {
    this.memory.put(HEADER_WORDS + field, value);
  }

  put64(field: number, value: number): void {
    this.memory.put64(HEADER_WORDS + field, value);
  }

  putBig(field: number, value: bigint): void {
    this.memory.putBig(HEADER_WORDS + field, value);
  }

  u32(field: number): number {
    return this.memory.u32(HEADER_WORDS + field);
  }

  /** A view of what follows the header. */
  payload(length: number): Uint8Array {
    return this.memory.bytes.subarray(outHeader.bytes, outHeader.bytes + length);
  }

  /** Copies bytes, and zeros behind them up to `end`. Places are counted from behind the header. */
  putBytes(at: number, bytes: Uint8Array, end: number): void {
    const begin = outHeader.bytes + at;
    this.memory.bytes.set(bytes, begin);
    this.memory.bytes.fill(0, begin + bytes.length, outHeader.bytes + end);
  }

  clear(at: number, end: number): void {
    this.memory.bytes.fill(0, outHeader.bytes + at, outHeader.bytes + end);
  }

  /**
   * Answers a request.
   *
   * @param device the descriptor that the request was read from: the kernel looks for it there
   * @param result bytes behind the header, or a negative errno
   * @returns 0, or a negative errno: ENOENT when the request was given up
   */
  send(device: number, request: Request, result: number): number {
    const { memory, calls } = this;
    const length = outHeader.bytes + (result < 0 ? 0 : result);
    memory.put(outHeader.len, length);
    memory.put(outHeader.error, result < 0 ? result : 0);
    memory.put(outHeader.unique, request.uniqueLow);
    memory.put(outHeader.unique + 1, request.uniqueHigh);
    return calls.write(device, memory.address, length) < 0 ? -lastErrno() : 0;
  }
}
