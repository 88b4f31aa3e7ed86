import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { FaultlineError } from '../../base/error.ts';
import { type RefusalLog, refusalLog } from './refusals.ts';

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

function refuse(log: RefusalLog, address: string | null, times = 1): void {
  const error = new FaultlineError('UNAUTHENTICATED', 'no');
  for (let time = 0; time < times; time += 1) log.add({ actor: { via: 'http', address }, asked: {}, error });
}

function recording(each: number) {
  const written: string[] = [];
  const log = refusalLog(({ error }) => written.push(error.message), { each, windowMs: 1_000 });
  return { written, log };
}

test('each is written, until there are too many; then their number', () => {
  const { written, log } = recording(3);
  refuse(log, '10.0.0.1', 5);
  refuse(log, '10.0.0.2', 4);
  expect(written).toEqual(['no', 'no', 'no']);
  vi.advanceTimersByTime(1_000);
  expect(written.slice(3)).toEqual(['6 more requests were refused within 1 s, from 10.0.0.2 (4), 10.0.0.1 (2)']);
  refuse(log, '10.0.0.1');
  expect(written).toHaveLength(5);
});

test('nothing is added where all were written', () => {
  const { written, log } = recording(3);
  refuse(log, null, 2);
  vi.advanceTimersByTime(10_000);
  expect(written).toHaveLength(2);
  expect(vi.getTimerCount()).toBe(0);
});

test('what was only counted is written down at the end', () => {
  const { written, log } = recording(1);
  refuse(log, null, 3);
  log.close();
  expect(written[1]).toMatch(/^2 more .* from an unknown address \(2\)$/);
  log.close();
  expect(written).toHaveLength(2);
  expect(vi.getTimerCount()).toBe(0);
});

test('a hundred thousand in a minute leave few entries, and little in memory', () => {
  const { written, log } = recording(30);
  for (let index = 0; index < 100_000; index += 1) refuse(log, `10.0.${index >> 8}.${index & 0xff}`);
  vi.advanceTimersByTime(1_000);
  expect(written).toHaveLength(31);
  expect(written[30]).toMatch(/^99970 more .* from other addresses \(99870\), .* and 96 more$/);
});
