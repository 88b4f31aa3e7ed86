import { isDeepStrictEqual } from 'node:util';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { isFaultlineError } from '../../base/error.ts';
import { measures } from '../measures.ts';
import { toleranceText } from '../tolerance.ts';
import { readExperiment, readExperimentFile } from './read.ts';
import { type BadFile, changed, goodFile, problemsOf } from './test-support/problems-of.ts';

/** Something of every kind, in its short form where there is one. */
const wholeFile = `experiment: everything
description: |
  Two lines,
  as they are.
hypothesis: All is well.
steadyState:
  before: 6s
  after: 5s
  recovery: 0s
  probes:
    web: { http: "http://127.0.0.1:8080/", expect: { success: 100%, rate: { atLeast: 6/m } } }
    post:
      http:
        url: https://localhost/
        method: post
        headers: { Content-Type: application/json, X-Number: 5 }
        body: '{}'
        rate: 30/m
        timeout: 500ms
        success: [200, 301-308]
      expect: { p99: { atMost: 1s }, status: { equals: 200 } }
      during: { p99: { atLeast: 1ms, atMost: 2s }, max: { atMost: 1m30s } }
      window: 10s
    db: { tcp: "[::1]:5432", expect: { p50: { between: [1ms, 5ms] } } }
    check: { command: [test, -e, 5], expect: { exitCode: 0, output: 007 } }
    health:
      command: { run: [cat, /run/health], every: 2s, timeout: 1s }
      expect: { output: { jsonpath: $.up, equals: true } }
    api: { process: 4123, expect: { count: 1, age: { atLeast: 1h } } }
    errors: { log: { path: /var/log/x, pattern: "ERR\\\\d", every: 250ms }, expect: { lines: 0 } }
    load: { prometheus: { url: "http://127.0.0.1:9090", query: up }, expect: { value: { atMost: -0.5 } } }
    ready: { file: /run/ready, expect: { exists: true, size: { atMost: 10MiB }, content: { matches: "^ok" } } }
method:
  - attack: process stop
    with: { process: api, duration: 5s }
  - attack: process stop
    with: { process: api }
  - assert: { web: { success: { atLeast: 50% } }, db: { failures: 0 } }
  - parallel:
      - - wait: 1s
      - - attack: noop hold
          name: drill
        - recover: drill
  - recover: drill
  - recover: process stop 2
  - run: [ls]
  - run: { command: [sleep, 1], timeout: 5s }
blastRadius: { targets: 3, percent: 50%, duration: 10m, processes: [api, 7] }
abort:
  - unless: { web: { success: { atLeast: 50% }, p99: { atMost: 1s } } }
rollbacks:
  - run: [./restart.sh]
`;

describe('an experiment', () => {
  it.each<BadFile>([
    [
      'a name with a blank',
      'experiment: kill-one',
      'experiment: kill one',
      ['1:13: "kill one" cannot be the name of an experiment; up to 64 letters, digits, - and _: kill-under-load'],
    ],
    [
      'characters that nobody can see',
      'hypothesis: One is enough.',
      'hypothesis: "One\\e is enough."',
      ['2:13: hypothesis has characters that nobody can see; take them away'],
    ],
    [
      'a number for a sentence',
      'hypothesis: One is enough.',
      'hypothesis: 5',
      ['2:13: hypothesis must be a text, not 5; put it in quotation marks: "5"'],
    ],
    [
      'an empty sentence',
      'hypothesis: One is enough.',
      'hypothesis: ""',
      ['2:13: hypothesis is empty; write a sentence'],
    ],
    [
      'an unknown key',
      'method:\n',
      'method: []\nmethods:\n',
      [
        '11:9: method does nothing; a step is one of: attack, recover, wait, assert, run, parallel',
        '12:1: there is no "methods" in an experiment; did you mean method?',
      ],
    ],
    [
      'no time before',
      '  probes:',
      '  before: 0s\n  probes:',
      ['4:11: before "0s" must be above zero; write a number with its unit, such as 500ms, 30s, 1m30s or 2h'],
    ],
  ])('tell of %s', async (_what, part, other, expected) => {
    expect(await problemsOf(changed(part, other))).toEqual(expected);
  });

  it('is read with every default', async () => {
    const { file, ...experiment } = await readExperiment(goodFile, 'kill.yaml');
    expect(file).toMatchObject({ name: 'kill.yaml', text: goodFile, sha256: expect.stringMatching(/^[0-9a-f]{64}$/u) });
    const success = { measure: 'success', tolerance: { kind: 'range', atLeast: 99, atMost: undefined } };
    const count = { measure: 'count', tolerance: { kind: 'equals', value: 2 } };
    expect(experiment).toEqual({
      name: 'kill-one',
      description: undefined,
      hypothesis: 'One is enough.',
      steadyState: {
        probes: [
          {
            name: 'answers',
            source: {
              kind: 'http',
              url: 'http://127.0.0.1:8080/',
              method: 'GET',
              headers: {},
              body: undefined,
              rate: 100,
              timeoutMs: 5000,
              success: [[200, 299]],
            },
            expect: [success],
            during: [success],
            windowMs: undefined,
          },
          {
            name: 'servers',
            source: { kind: 'process', process: 'api', everyMs: 1000 },
            expect: [count],
            during: [count],
            windowMs: undefined,
          },
        ],
        beforeMs: 3000,
        afterMs: 3000,
        recoveryMs: 10_000,
      },
      method: [
        {
          kind: 'attack',
          path: 'method[0]',
          name: 'kill one',
          fault: 'process',
          action: 'kill',
          options: { process: 'api', mode: 'one' },
        },
        { kind: 'wait', path: 'method[1]', ms: 5000 },
      ],
      blastRadius: { targets: 1, percent: undefined, durationMs: 60_000, processes: undefined },
      abort: [],
      rollbacks: [],
    });
  });

  it('may have probes of every kind, in short forms, too', async () => {
    const { steadyState, description } = await readExperiment(wholeFile, 'x.yaml');
    expect(description).toBe('Two lines,\nas they are.');
    expect(steadyState).toMatchObject({ beforeMs: 6000, afterMs: 5000, recoveryMs: 0 });
    expect(Object.fromEntries(steadyState.probes.map(({ name, source }) => [name, source]))).toEqual({
      web: {
        kind: 'http',
        url: 'http://127.0.0.1:8080/',
        method: 'GET',
        headers: {},
        body: undefined,
        rate: 10,
        timeoutMs: 5000,
        success: [[200, 299]],
      },
      post: {
        kind: 'http',
        url: 'https://localhost/',
        method: 'POST',
        headers: { 'content-type': 'application/json', 'x-number': '5' },
        body: '{}',
        rate: 0.5,
        timeoutMs: 500,
        success: [
          [200, 200],
          [301, 308],
        ],
      },
      db: { kind: 'tcp', host: '::1', port: 5432, everyMs: 1000, timeoutMs: 5000 },
      check: { kind: 'command', argv: ['test', '-e', '5'], everyMs: 1000, timeoutMs: 5000 },
      health: { kind: 'command', argv: ['cat', '/run/health'], everyMs: 2000, timeoutMs: 1000 },
      api: { kind: 'process', process: '4123', everyMs: 1000 },
      errors: { kind: 'log', path: '/var/log/x', pattern: 'ERR\\d', everyMs: 250 },
      load: { kind: 'prometheus', url: 'http://127.0.0.1:9090', query: 'up', everyMs: 5000, timeoutMs: 5000 },
      ready: { kind: 'file', path: '/run/ready', everyMs: 1000 },
    });
  });

  it('may expect of a measure whatever fits it, and something else meanwhile', async () => {
    const { steadyState } = await readExperiment(wholeFile, 'x.yaml');
    const texts = steadyState.probes.map(({ name, source, expect: before, during, windowMs }) => {
      const [calm, stormy] = [before, during].map((all) =>
        all.map(({ measure, tolerance }) => {
          return `${measure} ${toleranceText(tolerance, measures[source.kind][measure]?.unit ?? '')}`;
        }),
      );
      return { name, calm, windowMs, ...(isDeepStrictEqual(calm, stormy) ? {} : { stormy }) };
    });
    const windowMs = undefined;
    expect(texts).toEqual([
      { name: 'web', windowMs, calm: ['success exactly 100%', 'rate at least 0.1/s'] },
      {
        name: 'post',
        windowMs: 10_000,
        calm: ['p99 at most 1 s', 'status exactly 200'],
        stormy: ['status exactly 200', 'p99 from 1 ms to 2 s', 'max at most 1m30s'],
      },
      { name: 'db', windowMs, calm: ['p50 from 1 ms to 5 ms'] },
      { name: 'check', windowMs, calm: ['exitCode exactly 0', 'output exactly "007"'] },
      { name: 'health', windowMs, calm: ['output $.up: true'] },
      { name: 'api', windowMs, calm: ['count exactly 1', 'age at least 1h'] },
      { name: 'errors', windowMs, calm: ['lines exactly 0'] },
      { name: 'load', windowMs, calm: ['value at most -0.5'] },
      { name: 'ready', windowMs, calm: ['exists true', 'size at most 10 MiB', 'content a match of /^ok/'] },
    ]);
  });

  it('may have steps, conditions and rollbacks of every kind', async () => {
    const { method, abort, blastRadius, rollbacks } = await readExperiment(wholeFile, 'x.yaml');
    const attack = { kind: 'attack', fault: 'process', action: 'stop' } as const;
    const zero = { measure: 'failures', tolerance: { kind: 'equals', value: 0 } };
    const half = { measure: 'success', tolerance: { kind: 'range', atLeast: 50, atMost: undefined } };
    const second = { measure: 'p99', tolerance: { kind: 'range', atLeast: undefined, atMost: 1000 } };
    expect(method).toEqual([
      { ...attack, path: 'method[0]', name: 'process stop', options: { process: 'api', duration: '5s' } },
      { ...attack, path: 'method[1]', name: 'process stop 2', options: { process: 'api' } },
      { kind: 'assert', path: 'method[2].web', probe: 'web', expect: [half] },
      { kind: 'assert', path: 'method[2].db', probe: 'db', expect: [zero] },
      {
        kind: 'parallel',
        path: 'method[3]',
        branches: [
          [{ kind: 'wait', path: 'method[3].parallel[0][0]', ms: 1000 }],
          [
            {
              kind: 'attack',
              path: 'method[3].parallel[1][0]',
              name: 'drill',
              fault: 'noop',
              action: 'hold',
              options: {},
            },
            { kind: 'recover', path: 'method[3].parallel[1][1]', attack: 'drill' },
          ],
        ],
      },
      { kind: 'recover', path: 'method[4]', attack: 'drill' },
      { kind: 'recover', path: 'method[5]', attack: 'process stop 2' },
      { kind: 'run', path: 'method[6]', command: { argv: ['ls'], timeoutMs: 30_000 } },
      { kind: 'run', path: 'method[7]', command: { argv: ['sleep', '1'], timeoutMs: 5000 } },
    ]);
    expect(abort).toEqual([
      { probe: 'web', unless: half, forMs: 2000 },
      { probe: 'web', unless: second, forMs: 2000 },
    ]);
    expect(blastRadius).toEqual({ targets: 3, percent: 50, durationMs: 600_000, processes: ['api', '7'] });
    expect(rollbacks).toEqual([{ argv: ['./restart.sh'], timeoutMs: 30_000 }]);
  });

  it('cannot be changed', async () => {
    const experiment = await readExperiment(wholeFile, 'x.yaml');
    const parts: unknown[] = [experiment];
    for (const part of parts) {
      expect(Object.isFrozen(part)).toBe(true);
      for (const one of Object.values(part as object)) if (typeof one === 'object' && one !== null) parts.push(one);
    }
  });

  it('knows where its parts stand', async () => {
    const { placeOf } = await readExperimentFile(goodFile, 'x.yaml');
    expect(placeOf('method[0].attack')).toEqual({ line: 12, column: 13 });
    expect(placeOf('blastRadius.targets')).toEqual({ line: 16, column: 25 });
    expect(placeOf('method[1].nothing[3]')).toEqual({ line: 15, column: 5 });
  });

  it('has all that is wrong told at once, the first first', async () => {
    const text = changed('hypothesis', 'hypotesis').replace('99%', '99').replace('mode: one', 'mdoe: one');
    const error: unknown = await readExperiment(text, 'dir/x.yaml').catch((thrown: unknown) => thrown);
    if (!isFaultlineError(error)) throw error;
    expect(error.message).toBe('dir/x.yaml:2:1: there is no "hypotesis" in an experiment');
    expect(error.hint?.split('\n')).toEqual([
      'did you mean hypothesis?',
      'dir/x.yaml:7:37: atLeast must be a share in percent, not 99; write it with its sign, such as 99.9%',
      'dir/x.yaml:14:27: process kill has no option "mdoe"; did you mean mode?',
    ]);
    await expect(readExperiment('', '-')).rejects.toThrow(/^<stdin>:1:1: /u);
  });

  it('is never believed to be what inherited names are', async () => {
    const text = changed('answers:', '__proto__:')
      .replace('servers:', 'toString:')
      .replace('with: {', 'with: { __proto__: 1,');
    expect(await problemsOf(text)).toEqual([
      '5:5: "__proto__" cannot be the name of a probe; letters, digits, - and _',
      expect.stringMatching(/^14:13: process kill has no option "__proto__"; there is: /u),
    ]);
  });

  it('of whatever words is read or refused, and never a crash', async () => {
    const words = [...new Set(`${goodFile}${wholeFile}`.split(/(\s+|[{}[\],:])/u))];
    const edit = fc.record({
      at: fc.nat(),
      cut: fc.nat({ max: 30 }),
      put: fc.array(fc.constantFrom(...words), { maxLength: 4 }),
    });
    await fc.assert(
      fc.asyncProperty(fc.boolean(), fc.array(edit, { minLength: 1, maxLength: 4 }), async (short, edits) => {
        let text = short ? goodFile : wholeFile;
        for (const { at, cut, put } of edits) {
          const from = at % text.length;
          text = text.slice(0, from) + put.join(' ') + text.slice(from + cut);
        }
        // Anything but the one expected error is thrown on.
        for (const problem of await problemsOf(text)) expect(problem).toMatch(/^\d+:\d+: .+; .+$/u);
      }),
      { numRuns: 60 },
    );
  }, 120_000);
});
