import { stat } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import { onTestFinished, test, expect } from 'vitest';
import type { Outcome } from '../outcome.ts';
import { type Begin, Rounds } from './rounds.ts';

function block(ms: number): void {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, ms);
}

const plan = { everyMs: 600_000, timeoutMs: 50, most: 1, whenBusy: 'skip', timed: true } as const;

/** @returns what came of the one attempt that there is; undefined: nothing yet */
function attempted(begin: Begin): () => Outcome | undefined {
  const outcomes: Outcome[] = [];
  const rounds = new Rounds(
    plan,
    () => performance.now(),
    begin,
    (outcome) => outcomes.push(outcome),
  );
  onTestFinished(() => rounds.stop());
  return () => outcomes[0];
}

async function told(outcome: () => Outcome | undefined): Promise<Outcome> {
  for (;;) {
    const found = outcome();
    if (found !== undefined) return found;
    await delay(5);
  }
}

test('what was answered while this thread was held up is no timeout', async () => {
  await delay(1);
  const outcome = attempted((finish) => {
    // Answered by another thread.
    stat('/', () => finish({}));
    return () => undefined;
  });
  block(2_000);
  expect(await told(outcome)).not.toHaveProperty('failure');
});

test('what is never answered is ended at its timeout', async () => {
  let isEnded = false;
  const outcome = attempted(() => () => {
    isEnded = true;
  });
  expect(await told(outcome)).toMatchObject({ failure: 'timeout' });
  expect(isEnded).toBe(true);
});

test('what begins late since this thread was held up has all its time', async () => {
  const outcomes: Outcome[] = [];
  const begin: Begin = (finish) => {
    const answer = setTimeout(() => finish({}), 100);
    return () => clearTimeout(answer);
  };
  const often = { ...plan, everyMs: 200, timeoutMs: 300, most: 9, whenBusy: 'wait' } as const;
  const rounds = new Rounds(
    often,
    () => performance.now(),
    begin,
    (outcome) => outcomes.push(outcome),
  );
  onTestFinished(() => rounds.stop());
  await delay(1);
  block(2_000);
  while (outcomes.length < 4) await delay(5);
  expect(outcomes.map(({ failure }) => failure)).toEqual(outcomes.map(() => undefined));
});
