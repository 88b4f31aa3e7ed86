import { setTimeout as delay } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { tellHoldUps } from './held-up.ts';

function block(ms: number): void {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, ms);
}

test('a program that stood still says so, until nobody wants to know any more', async () => {
  const notes: string[] = [];
  const end = tellHoldUps({ clock: () => performance.now(), note: (text) => notes.push(text) });
  await delay(100);
  block(2_000);
  await delay(100);
  end();
  const told = notes.length;
  block(1_000);
  await delay(100);
  // On a busy machine there may be others, that are shorter.
  expect(notes).toContainEqual(
    expect.stringMatching(/^this machine held up Faultline for (?:1\.9|[2-9](?:\.\d)?) s: what was measured then/),
  );
  expect(notes.length).toBe(told);
});
