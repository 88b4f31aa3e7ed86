import type { RunDocument, RunInjectionDocument } from '../../result.ts';
import { latency, sampled } from './curves.ts';
import { deviatedRun } from './deviated-run.ts';
import { heldRun } from './held-run.ts';

/*
 * Runs that are hard on a report: the largest, the emptiest, and those whose texts were written by an enemy.
 */

const hourMs = 3_600_000;
const minuteMs = 60_000;

const probeNames = [
  'answers',
  'checkout',
  'search',
  'login',
  'queue-depth',
  'cache',
  'database',
  'mail',
  'thumbnails',
  'payments-through-the-second-provider',
];

function hourInjection(index: number): RunInjectionDocument {
  const [template] = deviatedRun().injections;
  const fromMs = (6 + index * 8) * minuteMs;
  return {
    ...(template ?? ({} as RunInjectionDocument)),
    uid: `inj-${index}`,
    name: ['slow disk', 'stop the cache', 'refuse new connections to the database', 'kill a worker'][index % 4] ?? '',
    fault: index % 4 === 0 ? 'io' : 'process',
    action: index % 4 === 0 ? 'latency' : 'stop',
    fromMs,
    toMs: index % 4 === 3 ? null : fromMs + (3 + index) * minuteMs,
    state: 'recovered',
  };
}

function hourProbes(isHit: (atMs: number) => boolean): RunDocument['probes'] {
  const judgements = heldRun().probes[0]?.judgements ?? [];
  return probeNames.map((name, index) => ({
    name,
    kind: index === 4 ? 'prometheus' : 'http',
    target: `GET http://127.0.0.1:80${index}0/health?of=${name}, 100 a second`,
    judgements,
    series: [
      {
        measure: 'p99',
        unit: 'ms',
        atLeast: null,
        atMost: 250,
        points: sampled(hourMs - 6000, 6000, 100 + index, (at, random) =>
          index === 7 && at > 30 * minuteMs && at < 33 * minuteMs
            ? null
            : latency(20 + index * 8, random) * (isHit(at) ? 1.3 + ((index * 7) % 10) * 0.9 : 1),
        ),
      },
      {
        measure: 'success',
        unit: '%',
        atLeast: 99.9,
        atMost: null,
        points: sampled(hourMs - 6000, 6000, 200 + index, (at, random) =>
          isHit(at) && random > 0.9 ? 99 + random * 0.9 : 100,
        ),
      },
    ],
    failures: index === 1 ? { timeout: 812, 'status 503': 40 } : {},
  }));
}

/** An hour with ten probes, of which each has two curves of 600 points. */
export function hourRun(): RunDocument {
  const held = heldRun();
  const injections = Array.from({ length: 6 }, (_, index) => hourInjection(index));
  const isHit = (at: number): boolean =>
    injections.some(({ fromMs, toMs }) => at >= fromMs && at <= (toMs ?? fromMs + minuteMs));
  return {
    ...held,
    uid: '0b9f6a52-7a83-4d7c-8e2e-64c2a5b1d006',
    experiment: { ...held.experiment, name: 'game-day', hypothesis: 'For an hour of faults nobody notices anything.' },
    durationMs: hourMs,
    verdict: 'deviated',
    reason: 'checkout: p99 was 812 ms, at most 250 ms expected, 24m30s after the start (stop the cache)',
    deviations: [24.5, 25, 25.5, 26, 40, 41].map((minute) => ({
      probe: 'checkout',
      measure: 'p99',
      expected: 'at most 250 ms',
      actual: '812 ms',
      phase: 'method',
      atMs: minute * minuteMs,
    })),
    phases: [
      { name: 'before', fromMs: 0, toMs: 5 * minuteMs },
      { name: 'method', fromMs: 5 * minuteMs, toMs: 54 * minuteMs },
      { name: 'rollback', fromMs: 54 * minuteMs, toMs: 54.2 * minuteMs },
      { name: 'after', fromMs: 54.2 * minuteMs, toMs: hourMs },
    ],
    probes: hourProbes(isHit),
    injections,
    deaths: Array.from({ length: 40 }, (_, index) => ({
      atMs: (30 + (index % 8) * 3) * minuteMs + index * 900,
      pid: 5000 + index,
      name: index % 3 === 0 ? 'worker' : 'fizzbuzz-api',
      cause: index % 5 === 0 ? 'OOM killer' : 'SIGKILL',
      injection: 'inj-3',
      sentence: 'SIGKILL, by us, injection inj-3',
    })),
    steps: injections.map(({ name, fromMs, toMs }, index) => ({
      path: `method[${index}]`,
      text: `attack ${name}`,
      fromMs,
      toMs,
      outcome: 'done',
      detail: null,
    })),
    journal: Array.from({ length: 400 }, (_, index) => ({
      atMs: index * 9000,
      text: `look ${index}: everything is within its tolerance`,
      level: 'info',
    })),
  };
}

/** What people and programs may call themselves: markup, other scripts, what turns lines around or ends them. */
export const hostileTexts = [
  '<script>document.title="owned"</script>',
  '"><img src=x onerror=alert(1)>',
  '\u202egnp.exe\u2066',
  'a\u0000b\u001b[31mred\u0007',
  ']]></failure><x a="',
  '| a | `b` | **c** |\n# heading\n- [x](javascript:alert(1))',
  '\ud800 alone \ufffe',
  "'; rm -rf / #",
  'ــمَرحبًا',
  `long-${'x'.repeat(300)}`,
] as const;

/** Every text of a run replaced by hostile ones, in turn. What the document itself defines stays. */
export function hostileRun(): RunDocument {
  const kept = new Set(['verdict', 'phase', 'level', 'outcome', 'startedAt', 'endedAt', 'unit', 'sha256']);
  let turn = 0;
  const hostile = (): string => {
    turn += 1;
    return hostileTexts[turn % hostileTexts.length] ?? '';
  };
  const run = JSON.parse(JSON.stringify(deviatedRun()), function replace(this: object, key: string, value: unknown) {
    const isPhase = key === 'name' && 'fromMs' in this && Object.keys(this).length === 3;
    return typeof value === 'string' && !kept.has(key) && !isPhase ? hostile() : value;
  }) as RunDocument;
  const [first] = run.probes;
  return {
    ...run,
    experiment: { ...run.experiment, text: hostileTexts.join('\n') },
    probes: first === undefined ? [] : [{ ...first, failures: { [hostileTexts[0]]: 3, [hostileTexts[5]]: 1 } }],
  };
}

/** Probes that measured nothing, and a runner that was killed before it could say anything. */
export function emptyRun(): RunDocument {
  const held = heldRun();
  return {
    ...held,
    uid: '0b9f6a52-7a83-4d7c-8e2e-64c2a5b1d008',
    endedAt: null,
    durationMs: 0,
    verdict: null,
    reason: '',
    phases: [],
    probes: [
      { name: 'answers', kind: 'http', target: 'GET http://127.0.0.1:1/', judgements: [], series: [], failures: {} },
      {
        name: 'page',
        kind: 'file',
        target: '/srv/page.html',
        judgements: [],
        series: [{ measure: 'size', unit: 'bytes', atLeast: null, atMost: 1024, points: [] }],
        failures: {},
      },
      {
        name: 'gone',
        kind: 'tcp',
        target: '127.0.0.1:1',
        judgements: [],
        series: [{ measure: 'p99', unit: 'ms', atLeast: null, atMost: null, points: [[0, null]] }],
        failures: { 'connection refused': 4 },
      },
    ],
    steps: [],
    injections: [],
    deaths: [],
    rollbacks: [],
    blastRadius: {
      planned: { targets: 1, percent: null, durationMs: 60_000 },
      actual: { targets: 0, percent: null, durationMs: 0 },
    },
    journal: [],
  };
}
