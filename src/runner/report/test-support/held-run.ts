import type { RunDocument } from '../../result.ts';
import { latency, sampled } from './curves.ts';
import { fileText, judgements, kill, killUid, p99Of, phases, servers, step, successOf, url } from './parts.ts';

const heldMs = 18_300;

const probes: RunDocument['probes'] = [
  {
    name: 'answers',
    kind: 'http',
    target: `GET ${url}, 100 a second`,
    judgements: [
      ...judgements('success', 'at least 99.9%', ['100%', '100%', '100%']),
      ...judgements('p99', 'at most 250 ms', ['24.1 ms', '61 ms', '25 ms']),
    ],
    series: [
      p99Of(sampled(heldMs, 100, 7, (at, random) => latency(22, random) + (at >= 5000 && at < 5300 ? 40 : 0))),
      successOf(sampled(heldMs, 100, 8, () => 100)),
    ],
    failures: {},
  },
  servers(sampled(heldMs, 1000, 9, (at) => (at > 5000 && at < 12_500 ? 1 : 2))),
];

const steps: RunDocument['steps'] = [
  step('method[0]', 'wait 2 s', 3000, 5000),
  step('method[1]', 'attack process kill: kill one server', 5000, 5016),
  step('method[2]', 'wait 5 s', 5016, 10_016),
  step('method[3]', 'assert answers: success at least 99%', 10_016, 10_017, 'success was 100%'),
];

const journal: RunDocument['journal'] = [
  { atMs: 0, text: 'measuring the steady state for 3 s', level: 'info' },
  { atMs: 3000, text: 'steady: answers, servers', level: 'good' },
  { atMs: 5002, text: 'fizzbuzz-api (PID 4123) died: SIGKILL, by us', level: 'info' },
  { atMs: 5016, text: 'kill one server: confirmed', level: 'good' },
  { atMs: 12_000, text: 'the method is over; all injections are undone', level: 'info' },
  { atMs: 14_600, text: 'steady again', level: 'good' },
  { atMs: 18_300, text: 'held', level: 'good' },
];

/** Killed under GET: nobody notices. */
export function heldRun(): RunDocument {
  const hypothesis = 'While one of two API servers is killed, every GET is answered, within 250 ms for 99 of 100.';
  return {
    uid: '0b9f6a52-7a83-4d7c-8e2e-64c2a5b1d001',
    experiment: {
      name: 'kill-under-get',
      description: 'nginx in front of two servers, of which one is killed under load of requests that may be repeated.',
      hypothesis,
      file: 'examples/fizzbuzz/kill-under-get.yaml',
      sha256: '7a9c0e4b1f6d5b7d0f2f6b8b9a51f7c3e0a4be61c8a2f4e7d7f0b9a5f1c3d2e4',
      text: fileText(
        'kill-under-get',
        hypothesis,
        [
          '  - wait: 2s',
          '  - attack: process kill',
          '    name: kill one server',
          '    with: { process: fizzbuzz-api, mode: one }',
          '  - wait: 5s',
        ].join('\n'),
      ),
    },
    host: { name: 'lab-1', kernel: '6.18.2', cpus: 2, faultline: '0.1.0', user: 'root' },
    startedAt: '2026-11-22T05:02:47.120Z',
    endedAt: '2026-11-22T05:03:05.420Z',
    durationMs: heldMs,
    verdict: 'held',
    reason: 'every probe stayed within its tolerance, and the system was steady again 1.2 s after the rollbacks',
    deviations: [],
    phases: phases(3000, 12_000, 13_400, heldMs),
    probes,
    steps,
    injections: [kill('kill one server', 5000)],
    deaths: [
      {
        atMs: 5002,
        pid: 4123,
        name: 'fizzbuzz-api',
        cause: 'SIGKILL',
        injection: killUid,
        sentence: `SIGKILL, by us, injection ${killUid} (process kill), 2 ms after its signal was sent`,
      },
    ],
    blastRadius: {
      planned: { targets: 1, percent: 50, durationMs: 60_000 },
      actual: { targets: 1, percent: 50, durationMs: 9000 },
    },
    rollbacks: [{ text: './restart.sh', fromMs: 12_010, toMs: 13_390, succeeded: true, detail: 'exit code 0' }],
    journal,
  };
}
