import type { RunDocument } from '../../result.ts';
import { latency, sampled } from './curves.ts';
import { heldRun } from './held-run.ts';
import { judgements, kill, p99Of, phases, step, successOf, url } from './parts.ts';

/** Stopped for 4 s: nobody fails, many wait. */
export function stoppedRun(): RunDocument {
  const held = heldRun();
  const end = 16_200;
  const slow = (at: number): boolean => at >= 5000 && at < 9000;
  const { atMs: _atMs, ...deviation } = {
    probe: 'answers',
    measure: 'p99',
    expected: 'at most 250 ms',
    actual: '2 s',
    phase: 'method' as const,
    atMs: 0,
  };
  return {
    ...held,
    uid: '0b9f6a52-7a83-4d7c-8e2e-64c2a5b1d003',
    experiment: {
      ...held.experiment,
      name: 'stop-for-4s',
      hypothesis: 'While one of two API servers is stopped for 4 s, 99 of 100 GETs are answered within 250 ms.',
    },
    durationMs: end,
    verdict: 'deviated',
    reason: 'answers: p99 was 2 s, at most 250 ms expected, 5.4 s after the start (stop one server)',
    deviations: [5400, 6400, 7400, 8400].map((atMs) => ({ ...deviation, atMs })),
    phases: phases(3000, 10_000, 10_100, end),
    probes: [
      {
        name: 'answers',
        kind: 'http',
        target: `GET ${url}, 100 a second`,
        judgements: [
          ...judgements('success', 'at least 99.9%', ['100%', '100%', '100%']),
          ...judgements('p99', 'at most 250 ms', ['23 ms', '2 s', '25 ms'], ['method']),
        ],
        series: [
          p99Of(sampled(end, 100, 27, (at, random) => (slow(at) ? 1980 + random * 60 : latency(22, random)))),
          successOf(sampled(end, 100, 28, () => 100)),
        ],
        failures: {},
      },
    ],
    steps: [
      step('method[0]', 'wait 2 s', 3000, 5000),
      step('method[1]', 'attack process stop: stop one server', 5000, 5012),
      step('method[2]', 'wait 5 s', 5012, 10_012),
    ],
    injections: [
      {
        ...kill('stop one server', 5000),
        action: 'stop',
        command: 'kill -STOP 4123; sleep 4; kill -CONT 4123',
        toMs: 9000,
        state: 'recovered',
      },
    ],
    deaths: [],
    rollbacks: [],
    blastRadius: { ...held.blastRadius, actual: { targets: 1, percent: 50, durationMs: 7000 } },
  };
}

/** Not steady before: nothing was injected. */
export function abortedRun(): RunDocument {
  const held = heldRun();
  return {
    ...held,
    uid: '0b9f6a52-7a83-4d7c-8e2e-64c2a5b1d004',
    durationMs: 3050,
    endedAt: '2026-11-22T05:02:50.170Z',
    verdict: 'aborted',
    reason: 'not steady before the start: answers: success was 0%, at least 99.9% expected. Nothing was injected',
    deviations: [
      { probe: 'answers', measure: 'success', expected: 'at least 99.9%', actual: '0%', phase: 'before', atMs: 3000 },
    ],
    phases: [{ name: 'before', fromMs: 0, toMs: 3000 }],
    probes: held.probes.slice(0, 1).map((probe) => ({
      ...probe,
      judgements: [
        { phase: 'before', measure: 'success', expected: 'at least 99.9%', actual: '0%', held: false },
        { phase: 'before', measure: 'p99', expected: 'at most 250 ms', actual: '0.6 ms', held: true },
      ],
      series: [
        p99Of(sampled(3000, 100, 37, (_at, random) => 0.4 + random * 0.3)),
        successOf(sampled(3000, 100, 38, () => 0)),
      ],
      failures: { 'connection refused': 300 },
    })),
    steps: held.steps.map((one) => ({ ...one, fromMs: 3050, toMs: null, outcome: 'skipped', detail: null })),
    injections: [],
    deaths: [],
    rollbacks: [],
    blastRadius: { ...held.blastRadius, actual: { targets: 0, percent: null, durationMs: 0 } },
    journal: [
      { atMs: 0, text: 'measuring the steady state for 3 s', level: 'info' },
      { atMs: 3000, text: 'not steady: answers: success was 0%', level: 'bad' },
    ],
  };
}

/** Ctrl-C while a server was stopped. */
export function interruptedRun(): RunDocument {
  const stopped = stoppedRun();
  const until = 6300;
  return {
    ...stopped,
    uid: '0b9f6a52-7a83-4d7c-8e2e-64c2a5b1d005',
    durationMs: 9800,
    verdict: 'aborted',
    reason: 'interrupted by Ctrl-C 6.3 s after the start; everything was undone',
    deviations: stopped.deviations.slice(0, 1),
    phases: phases(3000, until, 6400, 9800),
    probes: stopped.probes.map((probe) => ({
      ...probe,
      series: [p99Of(sampled(9800, 100, 47, (at, random) => (at >= 5000 && at < until ? 1100 : latency(22, random))))],
    })),
    steps: stopped.steps.map((one, index) => (index < 2 ? one : { ...one, toMs: until, outcome: 'interrupted' })),
    injections: stopped.injections.map((one) => ({ ...one, toMs: 6320 })),
    blastRadius: { ...stopped.blastRadius, actual: { targets: 1, percent: 50, durationMs: 3300 } },
    journal: [
      ...stopped.journal.slice(0, 2),
      { atMs: until, text: 'interrupted: undoing everything; again, and nothing is measured afterwards', level: 'bad' },
      { atMs: 6320, text: 'stop one server: recovered', level: 'good' },
    ],
  };
}
