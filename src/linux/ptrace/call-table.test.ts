import { describe, expect, test } from 'vitest';
import { decodeResults, encodeTable } from './call-table.ts';

describe('the table of calls', () => {
  test('numbers by architecture, arguments of up to 53 bits, negative ones too', () => {
    const calls = [
      ['mremap', 0x7fff_1234_5000, 4096, 4096, 3, 0x1f_ffff_ffff_ffff],
      ['fcntl', -100, -1],
    ] as const;
    const table = encodeTable(calls, 'x86_64');
    const words = Array.from({ length: 16 }, (_, index) => table.readBigInt64LE(index * 8));
    const mremap = [25n, 0x7fff_1234_5000n, 4096n, 4096n, 3n, 0x1f_ffff_ffff_ffffn, 0n, 0n];
    const fcntl = [72n, -100n, -1n, 0n, 0n, 0n, 0n, 0n];
    expect(words).toEqual([...mremap, ...fcntl]);
    expect(encodeTable(calls, 'arm64').readBigInt64LE(0)).toBe(216n);
  });

  test('results: descriptors, addresses, errors', () => {
    const table = Buffer.alloc(3 * 64);
    table.writeBigInt64LE(7n, 56);
    table.writeBigInt64LE(0x7fff_1234_5000n, 64 + 56);
    table.writeBigInt64LE(-9n, 128 + 56);
    expect(decodeResults(table)).toEqual([7, 0x7fff_1234_5000, -9]);
  });
});
