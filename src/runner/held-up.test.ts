import { setTimeout as delay } from 'node:timers/promises';
import { expect, onTestFinished, test } from 'vitest';
import { watchHoldUps } from './held-up.ts';

const clock = (): number => performance.now();

function block(ms: number): void {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, ms);
}

test('a program that stood still says so, until nobody wants to know any more', async () => {
  const notes: string[] = [];
  const holdUps = watchHoldUps({ clock, note: (text) => notes.push(text) });
  await delay(100);
  block(2_000);
  await delay(100);
  holdUps.end();
  const told = notes.length;
  block(1_000);
  await delay(100);
  // On a busy machine there may be others, that are shorter.
  expect(notes).toContainEqual(
    expect.stringMatching(/^this machine held up Faultline for (?:1\.9|[2-9](?:\.\d)?) s: what was measured then/),
  );
  expect(notes.length).toBe(told);
});

test('the time that was lost is known at once, and for as long as it is asked about', () => {
  const notes: string[] = [];
  let nowMs = 0;
  const holdUps = watchHoldUps({ clock: () => nowMs, note: (text) => notes.push(text) });
  onTestFinished(() => holdUps.end());
  nowMs = 290;
  expect(holdUps.lostSince(0), 'a look that is late').toBe(0);
  nowMs = 4_340;
  expect(holdUps.lostSince(2_340)).toBe(4_000);
  expect(holdUps.lostSince(3_340), 'another condition at the same look').toBe(4_000);
  nowMs = 4_390;
  expect(holdUps.lostSince(2_390)).toBe(4_000);
  expect(holdUps.lostSince(4_341), 'that long ago').toBe(0);
  expect(notes).toHaveLength(1);
});
