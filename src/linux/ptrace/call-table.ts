import type { Architecture } from '../arch.ts';
import { TABLE_ENTRY_BYTES, TABLE_RESULT_AT } from './arch.ts';
import { remoteSyscallNumber } from './remote-syscalls.ts';
import type { RemoteCall } from './traced-process.ts';

const HALF = 2 ** 32;

/** Calls as the program reads them: number, six arguments and a place for the result, eight bytes each. */
export function encodeTable(calls: readonly RemoteCall[], architecture: Architecture): Buffer {
  const table = Buffer.alloc(calls.length * TABLE_ENTRY_BYTES);
  for (const [index, [name, ...values]] of calls.entries()) {
    const at = index * TABLE_ENTRY_BYTES;
    writeNumber(table, at, remoteSyscallNumber(name, architecture));
    for (const [position, value] of values.entries()) writeNumber(table, at + 8 + position * 8, value);
  }
  return table;
}

/** What the calls of a table have returned. */
export function decodeResults(table: Buffer): number[] {
  const results: number[] = [];
  for (let at = TABLE_RESULT_AT; at < table.length; at += TABLE_ENTRY_BYTES) {
    results.push(table.readInt32LE(at + 4) * HALF + table.readUInt32LE(at));
  }
  return results;
}

/** A number of up to 53 bits, negative ones as two's complement. */
function writeNumber(buffer: Buffer, at: number, value: number): void {
  buffer.writeUInt32LE(value >>> 0, at);
  buffer.writeInt32LE(Math.floor(value / HALF) | 0, at + 4);
}
