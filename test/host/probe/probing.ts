import { afterEach } from 'vitest';
import type { Json } from '../../../src/base/json.ts';
import type { Probe, ProbeSource } from '../../../src/runner/experiment.ts';
import type { RunningProbe } from '../../../src/runner/probe/probe.ts';
import { startProbe } from '../../../src/runner/probe/start.ts';
import { eventually } from '../../support/eventually.ts';

const running = new Set<RunningProbe>();

afterEach(async () => {
  await Promise.all([...running].map((probe) => probe.stop()));
  running.clear();
});

/** A probe that is at work, and its clock. */
export interface Probing {
  readonly probe: RunningProbe;
  readonly clock: () => number;
  /** Of a measure over all up to now, or over what came after a moment: the last value. */
  readonly last: (measure: string, fromMs?: number) => Json | undefined;
  /** All values up to now. */
  readonly all: (measure: string) => readonly Json[];
  /** Wait until what was due before this moment is over. */
  readonly settled: () => Promise<void>;
}

/** Begin to probe; it is ended after the test. */
export function probing(source: ProbeSource, more: Partial<Probe> = {}): Probing {
  const start = performance.now();
  const clock = (): number => performance.now() - start;
  const probe = startProbe({ name: 'probe', source, expect: [], during: [], windowMs: undefined, ...more }, clock);
  running.add(probe);
  return {
    probe,
    clock,
    last: (measure, fromMs = 0) => probe.measure(measure, fromMs, clock() + 1_000).at(-1)?.value,
    all: (measure) => probe.measure(measure, 0, clock() + 1_000).map(({ value }) => value),
    settled: async () => {
      const now = clock();
      await eventually('what was due is over', () => probe.settledMs() >= now);
    },
  };
}
