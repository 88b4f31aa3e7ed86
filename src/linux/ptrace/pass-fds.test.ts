import { expect, test } from 'vitest';
import { messageAt, PASSING_BYTES, receivedFds } from './pass-fds.ts';

test('a message: where its parts are, and what the kernel puts there', () => {
  const message = messageAt(0x10000, 2);
  const word = (offset: number): number => Number(message.readBigUInt64LE(offset));
  // struct msghdr: name, namelen, iov, iovlen, control, controllen, flags
  expect([0, 8, 16, 24, 32, 40, 48].map(word)).toEqual([0, 0, 0x10000 + 56, 1, 0x10000 + 80, 16 + 8, 0]);
  expect([word(56), word(64)], 'one byte').toEqual([0x10000 + 72, 1]);
  expect(receivedFds(messageAt(0, 0).fill(0)), 'nothing received').toEqual([]);
  message.writeBigUInt64LE(24n, 80);
  message.writeInt32LE(5, 96);
  message.writeInt32LE(9, 100);
  expect(receivedFds(message)).toEqual([5, 9]);
  expect(messageAt(0, 253)).toHaveLength(PASSING_BYTES / 8);
});
