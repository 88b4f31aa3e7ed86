import { expect, test } from 'vitest';
import type { RunningProbe } from './probe/probe.ts';
import { looked, settled } from './settled.ts';

const over = new AbortController().signal;

/** A probe that tells what a test has it tell. */
function told(parts: Pick<RunningProbe, 'settledMs'> & Partial<RunningProbe>): RunningProbe {
  return {
    probe: {
      name: 'workers',
      source: { kind: 'process', process: 'worker', everyMs: 100 },
      expect: [],
      during: [],
      windowMs: undefined,
    },
    measure: () => [],
    series: () => [],
    failures: () => ({}),
    stop: () => Promise.resolve(),
    ...parts,
  };
}

test('a moment at which all stood still takes nothing of the time that a probe has', async () => {
  let [nowMs, looks] = [1_000, 0];
  const probe = told({
    settledMs: () => {
      looks += 1;
      nowMs += looks === 2 ? 60_000 : 20;
      return looks < 10 ? 900 : 2_000;
    },
  });
  await settled([probe], { clock: () => nowMs, untilMs: 1_000, over });
  expect(looks).toBe(10);
});

test('a probe that hangs is not waited for', async () => {
  let nowMs = 1_000;
  const probe = told({
    settledMs: () => {
      nowMs += 100;
      return 900;
    },
  });
  await settled([probe], { clock: () => nowMs, untilMs: 1_000, over });
  expect(nowMs).toBeLessThan(10_000);
});

test('where turns were left out, the first look after a moment counts', async () => {
  let nowMs = 1_350;
  const probe = told({
    settledMs: () => nowMs,
    measure: (measure, fromMs, toMs) => {
      nowMs += 50;
      return measure === 'count' && fromMs <= 1_800 && toMs > 1_800 ? [{ atMs: 1_800, value: 2 }] : [];
    },
  });
  const untilMs = await looked(probe, { clock: () => nowMs, fromMs: 1_000, untilMs: 1_350, over });
  expect(untilMs).toBeGreaterThan(1_800);
  expect(await looked(probe, { clock: () => nowMs, fromMs: 1_000, untilMs: 1_900, over })).toBe(1_900);
});

test('a look that failed is one, and one that never comes is given up', async () => {
  let [nowMs, failures] = [1_000, 0];
  const measure = (): readonly never[] => {
    nowMs += 50;
    if (nowMs > 1_500) failures = 1;
    return [];
  };
  const failing = told({ settledMs: () => nowMs, measure, failures: () => ({ 'no series': failures }) });
  expect(await looked(failing, { clock: () => nowMs, fromMs: 1_000, untilMs: 1_000, over })).toBeLessThan(3_000);
  const silent = told({ settledMs: () => nowMs, measure });
  const fromMs = nowMs;
  expect(await looked(silent, { clock: () => nowMs, fromMs, untilMs: fromMs, over })).toBeLessThan(fromMs + 20_000);
});
