import type { RunDocument } from '../../result.ts';
import { latency, sampled } from './curves.ts';
import { heldRun } from './held-run.ts';
import { judgements, kill, p99Of, servers, step, successOf, url } from './parts.ts';

const lost = (at: number): boolean => (at >= 5000 && at < 5300) || (at >= 8000 && at < 8400);

function deviatedProbes(endMs: number): RunDocument['probes'] {
  return [
    {
      name: 'answers',
      kind: 'http',
      target: `POST ${url}, 100 a second`,
      judgements: [
        ...judgements('success', 'at least 99.9%', ['100%', '91%', '100%'], ['method']),
        ...judgements('p99', 'at most 250 ms', ['24.1 ms', '1.1 s', '25 ms'], ['method']),
      ],
      series: [
        p99Of(
          sampled(endMs, 100, 17, (at, random) =>
            at >= 8000 && at < 8700 ? 300 + random * 820 : latency(22, random) + (lost(at) ? 140 : 0),
          ),
        ),
        successOf(sampled(endMs, 100, 18, (at, random) => (lost(at) ? 91 + random * 5 : 100))),
      ],
      failures: { 'status 502': 14, 'connection reset': 3 },
    },
    {
      ...servers(sampled(endMs, 1000, 9, (at) => (at > 8000 && at < 10_000 ? 0 : at > 5000 && at < 12_500 ? 1 : 2))),
      judgements: judgements('count', '1 to 2', ['2', '0 to 2', '2'], ['method']),
    },
  ];
}

const second = '8a1d2f9c-11aa-4b5c-8a1c-0f0e3f8f7b22';

const laterDeaths: RunDocument['deaths'] = [
  {
    atMs: 8003,
    pid: 4124,
    name: 'fizzbuzz-api',
    cause: 'SIGKILL',
    injection: second,
    sentence: `SIGKILL, by us, injection ${second} (process kill), 3 ms after its signal was sent`,
  },
  {
    atMs: 8900,
    pid: 4177,
    name: 'worker',
    cause: 'exit code 3',
    injection: null,
    sentence: 'exit code 3, by itself: its parent fizzbuzz-api (PID 4124) had died 0.9 s before',
  },
];

const laterSteps: RunDocument['steps'] = [
  step('method[2].parallel[0][0]', 'wait 3 s', 5016, 8016),
  step('method[2].parallel[1][0]', 'attack process kill: kill the other', 8000, 8020),
  {
    ...step('method[3]', 'assert answers: success at least 99%', 10_016, 10_017, 'success was 91%'),
    outcome: 'failed',
  },
  { ...step('method[4]', 'wait 5 s', 10_017, null), outcome: 'skipped' },
];

/** Killed under POST: what was in flight is lost, twice. */
export function deviatedRun(): RunDocument {
  const held = heldRun();
  return {
    ...held,
    uid: '0b9f6a52-7a83-4d7c-8e2e-64c2a5b1d002',
    experiment: {
      ...held.experiment,
      name: 'kill-under-post',
      description: null,
      hypothesis: 'While one of two API servers is killed, every POST is answered, just as every GET is.',
      file: 'examples/fizzbuzz/kill under post.yaml',
    },
    verdict: 'deviated',
    reason: 'answers: success was 94.1%, at least 99.9% expected, 5.1 s after the start (kill one server)',
    deviations: [
      {
        probe: 'answers',
        measure: 'success',
        expected: 'at least 99.9%',
        actual: '94.1%',
        phase: 'method',
        atMs: 5100,
      },
      {
        probe: 'answers',
        measure: 'success',
        expected: 'at least 99.9%',
        actual: '91%',
        phase: 'method',
        atMs: 8200,
      },
      { probe: 'answers', measure: 'p99', expected: 'at most 250 ms', actual: '1.1 s', phase: 'method', atMs: 8300 },
      { probe: 'servers', measure: 'count', expected: '1 to 2', actual: '0', phase: 'method', atMs: 9000 },
    ],
    probes: deviatedProbes(held.durationMs),
    steps: [...held.steps.slice(0, 2), ...laterSteps],
    injections: [
      kill('kill one server', 5000),
      { ...kill('kill the other', 8000), uid: second, command: 'kill -KILL 4124' },
    ],
    deaths: [...held.deaths, ...laterDeaths],
    blastRadius: {
      planned: { targets: 1, percent: null, durationMs: 60_000 },
      actual: { targets: 2, percent: 50, durationMs: 9000 },
    },
    journal: [
      ...held.journal.slice(0, 4),
      { atMs: 5100, text: 'answers: success was 94.1%, at least 99.9% expected', level: 'bad' },
      { atMs: 8200, text: 'answers: success was 91%, at least 99.9% expected', level: 'bad' },
      { atMs: 18_300, text: 'deviated', level: 'bad' },
    ],
  };
}
