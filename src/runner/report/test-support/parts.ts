import type { ProbeDocument, RunDocument, RunInjectionDocument, Series } from '../../result.ts';

/*
 * Of what the runs for tests of reports are made: realistic, and the same every time.
 */

export const url = 'http://127.0.0.1:8080/api/v1/fizzbuzz?number=15';

export const fileText = (
  name: string,
  hypothesis: string,
  method: string,
): string => `# Told as a lesson in the documentation.
experiment: ${name}
hypothesis: ${hypothesis}
steadyState:
  before: 3s
  after: 3s
  probes:
    answers:
      http: { url: "${url}", rate: 100/s }
      expect: { success: { atLeast: 99.9% }, p99: { atMost: 250ms } }
    servers:
      process: fizzbuzz-api
      expect: { count: 2 }
      during: { count: { between: [1, 2] } }
method:
${method}
blastRadius: { targets: 1, percent: 50%, duration: 60s, processes: [fizzbuzz-api] }
`;

export const killUid = '5f0c6a3e-8d0b-4c5e-9a53-2f7f5d9f4a11';

export function kill(name: string, fromMs: number): RunInjectionDocument {
  return {
    uid: killUid,
    name,
    fault: 'process',
    action: 'kill',
    command: 'kill -KILL 4123',
    fromMs,
    toMs: null,
    targets: [
      {
        label: 'fizzbuzz-api (PID 4123)',
        verdict: 'confirmed',
        seen: 'it ended 1.4 ms after the signal',
        evidence: { signal: 'SIGKILL', startTicks: 918_273, state: 'gone' },
      },
    ],
    percent: 50,
    state: 'unrecoverable',
  };
}

export const phases = (method: number, rollback: number, after: number, end: number): RunDocument['phases'] => [
  { name: 'before', fromMs: 0, toMs: method },
  { name: 'method', fromMs: method, toMs: rollback },
  { name: 'rollback', fromMs: rollback, toMs: after },
  { name: 'after', fromMs: after, toMs: end },
];

type Judgement = ProbeDocument['judgements'][number];

export function judgements(
  measure: string,
  expected: string,
  [before, method, after]: readonly [string, string, string],
  deviating: readonly string[] = [],
): readonly Judgement[] {
  return (
    [
      ['before', before],
      ['method', method],
      ['after', after],
    ] as const
  ).map(([phase, actual]) => ({ phase, measure, expected, actual, held: !deviating.includes(phase) }));
}

export const p99Of = (points: Series['points']): Series => ({
  measure: 'p99',
  unit: 'ms',
  atLeast: null,
  atMost: 250,
  points,
});
export const successOf = (points: Series['points']): Series => ({
  measure: 'success',
  unit: '%',
  atLeast: 99.9,
  atMost: null,
  points,
});
const countOf = (points: Series['points']): Series => ({ measure: 'count', unit: '', atLeast: 1, atMost: 2, points });

export const servers = (points: Series['points']): ProbeDocument => ({
  name: 'servers',
  kind: 'process',
  target: 'processes named fizzbuzz-api, every second',
  judgements: judgements('count', '1 to 2', ['2', '1 to 2', '2']),
  series: [countOf(points)],
  failures: {},
});

export function step(
  path: string,
  text: string,
  fromMs: number,
  toMs: number | null,
  detail: string | null = null,
): RunDocument['steps'][number] {
  return { path, text, fromMs, toMs, outcome: 'done', detail };
}
