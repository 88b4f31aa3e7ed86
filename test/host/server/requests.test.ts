import fc from 'fast-check';
import { beforeEach, describe, expect, test } from 'vitest';
import { tempStateDir } from '../../support/cli.ts';
import { type Answer, get, request } from '../../support/http-requests.ts';
import { startServer, type TestServer } from '../../support/server.ts';
import { sleeper, stateOf, type TestProcess } from '../targets/processes.ts';

/*
 * Requests at random, right and wrong ones, made from the schemas that the service itself shows. Whatever comes, it is
 * answered in words and nothing is touched: names of processes begin with `fl-none-`, which no process has, and other
 * criteria are only ever planned with.
 */

interface Schema {
  readonly type?: string;
  readonly const?: string;
  readonly enum?: readonly string[];
  readonly anyOf?: readonly Schema[];
  readonly items?: Schema;
  readonly pattern?: string;
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly minimum?: number;
  readonly maximum?: number;
}

const runs = { numRuns: 150 };

let server: TestServer;
let bystander: TestProcess;

beforeEach(async () => {
  server = await startServer({ stateDir: tempStateDir(), args: ['--max-rate', '100000'] });
  bystander = await sleeper('fl-bystander');
});

function expectUntouched(): void {
  expect(stateOf(bystander.pid)).toBe('S');
}

/** Text as nobody would write it. */
const strangeText = fc.oneof(
  fc.string({ unit: 'binary', maxLength: 40 }),
  fc.string({ maxLength: 40 }),
  fc.constantFrom('', ' ', '\0', '\u001b[2J', '\u202e', '../../etc/passwd', '__proto__', "';--", '%00', '🙂'),
  fc.integer({ min: 1_000, max: 30_000 }).map((length) => 'x'.repeat(length)),
);

/** What is no character by itself cannot stand in a URL. */
const wellFormed = (text: string): string => Buffer.from(text).toString();

/** Of another type than what is asked for, or of none that JSON has a name for. */
const strangeValue: fc.Arbitrary<unknown> = fc.oneof(
  strangeText,
  fc.constantFrom(null, true, false, -1, 0, 1.5, 1e308, [], {}, [[]], [null]),
  fc.integer(),
  fc.array(fc.oneof(strangeText, fc.integer(), fc.constant(null)), { maxLength: 5 }),
  fc.object({ maxDepth: 3 }),
);

const noProcess = fc.string({ unit: 'binary', maxLength: 20 }).map((text) => `fl-none-${text}`);

/** A value as the schema has it. */
function valueOf(name: string, schema: Schema): fc.Arbitrary<unknown> {
  if (name === 'process') return noProcess;
  if (name === 'recoverCmd') return strangeText;
  if (schema.const !== undefined) return fc.constant(schema.const);
  if (schema.enum !== undefined) return fc.constantFrom(...schema.enum);
  if (schema.anyOf !== undefined) return fc.oneof(...schema.anyOf.map((one) => valueOf(name, one)));
  if (schema.pattern !== undefined) return fc.stringMatching(new RegExp(schema.pattern));
  switch (schema.type) {
    case 'boolean':
      return fc.boolean();
    case 'integer':
      return fc.integer({ min: schema.minimum ?? -100, max: schema.maximum ?? 100_000 });
    case 'number':
      return fc.double({ min: schema.minimum ?? 0, max: schema.maximum ?? 100, noNaN: true });
    case 'array':
      return fc.array(valueOf(name, schema.items ?? {}), { maxLength: 4 });
    default:
      return strangeText;
  }
}

const always = new Set(['kind', 'action']);

/** A body of the right shape, with some of the fields that may be left out. */
function bodyOf(schema: Schema, without: readonly string[]): fc.Arbitrary<Record<string, unknown>> {
  const fields = Object.entries(schema.properties ?? {}).filter(([name]) => !without.includes(name));
  const model = Object.fromEntries(fields.map(([name, one]) => [name, valueOf(name, one)]));
  const required = fields.map(([name]) => name).filter((name) => always.has(name) || name === 'process');
  return fc.record(model, { requiredKeys: required });
}

/** Names that no fault has, some of which mean something to JavaScript. */
const strangeName = fc.oneof(
  fc.constantFrom('__proto__', 'constructor', 'prototype', 'toString', 'hasOwnProperty', 'valueOf', ''),
  fc.string({ maxLength: 20 }).map((name) => `x-${name}`),
);

/** One field is given another value, or one is added that nobody knows. As text, so that `__proto__` is a key, too. */
function spoiled(body: Record<string, unknown>, name: string, value: unknown): string {
  const entries = Object.entries({ ...body }).filter(([key]) => key !== name);
  return `{${[...entries, [name, value]].map(([key, one]) => `${JSON.stringify(key)}:${JSON.stringify(one)}`).join()}}`;
}

function expectAnswered(answer: Answer, sent: unknown): void {
  const said = `${JSON.stringify(sent).slice(0, 300)} was answered ${answer.status} ${answer.text.slice(0, 300)}`;
  expect(answer.status, said).toBeGreaterThanOrEqual(200);
  expect(answer.status, said).toBeLessThan(500);
  expect(answer.headers.get('content-type'), said).toContain('application/json');
  // Whatever was sent, it is printed so that it acts on no terminal.
  if (answer.status < 400) return;
  expect(answer.body, said).toMatchObject({ error: { code: expect.stringMatching(/^[A-Z_]+$/) } });
  const { error } = answer.body as { readonly error: { readonly message: string } };
  expect(error.message, said).toMatch(/^[^\p{Cc}\p{Cf}\p{Cs}]+$/u);
}

/** The bodies of attacks, as the service shows them. */
async function schemas(): Promise<readonly Schema[]> {
  const { body } = await get(`${server.url}/openapi.json`);
  const named = (body as { readonly components: { readonly schemas: Record<string, Schema> } }).components.schemas;
  return ['ProcessKill', 'ProcessStop', 'NoopHold'].map((name) => named[name] ?? {});
}

const anyOf = (list: readonly Schema[], without: readonly string[] = []): fc.Arbitrary<Record<string, unknown>> =>
  fc.oneof(...list.map((schema) => bodyOf(schema, without)));

/** With these a right body might hit somebody, or leave a keeper behind. */
const planOnly = ['cmdline', 'user', 'cgroup', 'duration', 'interval'];

async function injectionsMade(): Promise<number> {
  const { body } = await get(`${server.url}/api/v1/injections?limit=1`);
  return (body as { readonly total: number }).total;
}

describe('requests at random', () => {
  test('plans of the right shape', { timeout: 300_000 }, async () => {
    const bodies = anyOf(await schemas());
    await fc.assert(
      fc.asyncProperty(bodies, async (body) => {
        const answer = await request('POST', `${server.url}/api/v1/plans`, body);
        expectAnswered(answer, body);
      }),
      runs,
    );
    expect(await injectionsMade()).toBe(0);
    expectUntouched();
  });

  test('attacks of the right shape on nobody', { timeout: 300_000 }, async () => {
    const bodies = anyOf(await schemas(), [...planOnly, 'recoverCmd']);
    const made = new Set<string>();
    await fc.assert(
      fc.asyncProperty(bodies, async (body) => {
        const answer = await request('POST', `${server.url}/api/v1/injections`, body);
        expectAnswered(answer, body);
        // Nobody was found, so only imaginary targets were hit.
        if (answer.status < 300) made.add((answer.body as { readonly uid: string }).uid);
        expect(answer.status < 300 ? body['kind'] : 'noop').toBe('noop');
      }),
      { ...runs, examples: [[{ kind: 'noop', action: 'hold' }]] },
    );
    expect(made.size).toBeGreaterThan(0);
    expect(await injectionsMade()).toBe(made.size);
    expectUntouched();
  });

  test('attacks of a wrong shape make nothing', { timeout: 300_000 }, async () => {
    const list = await schemas();
    const wrongs = fc.tuple(
      anyOf(list, planOnly),
      fc.oneof(strangeName, fc.constantFrom('uid', 'maxTargets', 'mode', 'value', 'wait', 'exclude', 'recoverCmd')),
      strangeValue,
    );
    await fc.assert(
      fc.asyncProperty(wrongs, fc.constantFrom('plans', 'injections', 'schedules'), async (wrong, path) => {
        const text = spoiled(...wrong);
        expectAnswered(await request('POST', `${server.url}/api/v1/${path}`, text), text);
      }),
      runs,
    );
    const { body } = await get(`${server.url}/api/v1/injections?kind=process`);
    expect(body).toMatchObject({ total: 0 });
    expectUntouched();
  });

  test('bodies that are no attack, and some that are no JSON', { timeout: 300_000 }, async () => {
    const paths = fc.constantFrom('plans', 'injections', 'schedules', 'halt');
    await fc.assert(
      fc.asyncProperty(paths, fc.oneof(fc.json(), strangeText), async (path, text) => {
        const answer = await request('POST', `${server.url}/api/v1/${path}`, text);
        expectAnswered(answer, text);
        // An empty object is a halt, and so is no body.
        if (path !== 'halt') expect(answer.status).toBeGreaterThanOrEqual(400);
      }),
      runs,
    );
    expect(await injectionsMade()).toBe(0);
    expectUntouched();
  });

  test('paths and queries', { timeout: 300_000 }, async () => {
    const segment = fc.oneof(
      fc.constantFrom(
        'injections',
        'schedules',
        'faults',
        'halt',
        'audit',
        'host',
        'version',
        '..',
        '.',
        '%2e%2e',
        '%zz',
      ),
      strangeText.map((text) => encodeURIComponent(wellFormed(text)).slice(0, 2_000)),
    );
    const name = fc.oneof(
      fc.constantFrom('limit', 'offset', 'state', 'status', 'order', 'kind', 'abandon', 'ended', '__proto__'),
      fc.string({ maxLength: 10 }),
    );
    const query = fc.array(fc.tuple(name, strangeText), { maxLength: 4 });
    const methods = fc.constantFrom('GET', 'DELETE', 'PUT', 'PATCH', 'OPTIONS');
    await fc.assert(
      fc.asyncProperty(methods, fc.array(segment, { maxLength: 3 }), query, async (method, segments, pairs) => {
        const parameters = new URLSearchParams(
          pairs.map(([key, text]): [string, string] => [key, wellFormed(text.slice(0, 500))]),
        );
        const url = `${server.url}/api/v1/${segments.join('/').slice(0, 4_000)}?${parameters.toString()}`;
        // What leads out of our own API is answered in other words.
        if (!new URL(url).pathname.startsWith('/api/v1/')) return;
        expectAnswered(await request(method, url), url);
      }),
      runs,
    );
    expectUntouched();
  });
});
