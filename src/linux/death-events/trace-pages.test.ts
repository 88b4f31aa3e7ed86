import { expect, test } from 'vitest';
import { recordsOf } from './trace-pages.ts';

/** A page of these words of four bytes, at a time. */
function page(time: bigint, words: readonly number[], used = words.length * 4): Buffer {
  const bytes = Buffer.alloc(4096);
  bytes.writeBigUInt64LE(time, 0);
  bytes.writeUInt32LE(used >>> 0, 8);
  for (const [index, word] of words.entries()) bytes.writeUInt32LE(word >>> 0, 16 + index * 4);
  return bytes;
}

const head = (type: number, delta: number): number => ((delta << 5) | type) >>> 0;

const told = (bytes: Buffer): readonly (readonly [bigint, string])[] =>
  recordsOf(bytes).map(({ time, bytes: record }) => [time, record.toString('hex')]);

test('records of one and of more words, with the time since the one before', () => {
  expect(told(page(100n, [head(1, 5), 0xaaaaaaaa, head(2, 7), 0xbbbbbbbb, 0xcccccccc]))).toEqual([
    [105n, 'aaaaaaaa'],
    [112n, 'bbbbbbbbcccccccc'],
  ]);
});

test('a long record has its length before it; what is discarded and time that is extended are no records', () => {
  const words = [head(0, 1), 4 + 8, 0x11111111, 0x22222222, head(29, 3), 8, 0, head(30, 2), 1, head(1, 1), 0x33333333];
  expect(told(page(0n, words))).toEqual([
    [1n, '1111111122222222'],
    [1n + 2n + (1n << 27n) + 1n, '33333333'],
  ]);
});

test('a page that ends early, with flags in its length, with nothing, or damaged', () => {
  expect(told(page(0n, [head(1, 1), 1, head(29, 0), 7, head(1, 1), 2]))).toHaveLength(1);
  expect(told(page(0n, [head(1, 1), 1], 8 | 0x8000_0000))).toHaveLength(1);
  expect(told(page(0n, []))).toEqual([]);
  expect(recordsOf(Buffer.alloc(3))).toEqual([]);
  expect(told(page(0n, [head(0, 1), 0xffff_fff0]))).toEqual([]);
  expect(told(page(0n, [head(28, 1), 1], 8))).toEqual([]);
});
