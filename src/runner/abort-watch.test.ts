import { expect, test } from 'vitest';
import { watchForAbort } from './abort-watch.ts';
import type { RunningProbe } from './probe/probe.ts';
import type { Scene } from './scene.ts';

const forMs = 2_000;

/** A run of which one measure is always too high. @returns looks at a moment; what has been said then */
function watched(lostMs: () => number) {
  const stops: string[] = [];
  let nowMs = 0;
  const unless = { measure: 'max', tolerance: { kind: 'range', atMost: 1_000 } };
  const probe = { name: 'answers', source: { kind: 'http', timeoutMs: 5_000 } };
  const running = { probe, measure: () => [{ atMs: nowMs, value: 4_000 }] } as unknown as RunningProbe;
  const scene = {
    experiment: { abort: [{ probe: 'answers', unless, forMs }], blastRadius: { durationMs: 600_000 } },
    engine: { halted: () => undefined },
    ledger: { clock: () => nowMs },
    probes: [running],
    stopped: { aborted: false },
    stop: (_verdict: string, reason: string) => stops.push(reason),
  } as unknown as Scene;
  const look = watchForAbort(scene, 0, { lostSince: lostMs, end: () => undefined });
  return (atMs: number): readonly string[] => {
    nowMs = atMs;
    look();
    return stops;
  };
}

test('what is outside of its tolerance aborts', () => {
  const look = watched(() => 0);
  expect(look(1_000), 'for too short a time').toEqual([]);
  expect(look(3_000)).toEqual([expect.stringContaining('answers: max was 4 s for 2 s')]);
});

test('what may be the doing of a machine that stood still must last for as long again', () => {
  let lostMs = 1_500;
  const look = watched(() => lostMs);
  expect(look(3_000)).toEqual([]);
  expect(look(4_900), 'it stands still again and again').toEqual([]);
  expect(look(5_100)).toHaveLength(1);
  lostMs = 0;
  expect(look(5_200), 'nobody was held up').toHaveLength(2);
});
