import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { spawn } from 'node:child_process';
import { Validator } from '@seriousme/openapi-schema-validator';
import { build } from 'esbuild';
import { generateSource } from 'oazapfts';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { parse } from 'yaml';
import { version } from '../../../src/base/version.ts';
import { finished, type Ran, tempStateDir } from '../../support/cli.ts';
import { get } from '../../support/http-requests.ts';
import { startServer } from '../../support/server.ts';
import { sleeper, stateOf } from '../targets/processes.ts';

const root = path.resolve(import.meta.dirname, '../../..');

interface Operation {
  readonly operationId?: string;
  readonly tags: readonly string[];
  readonly 'x-role': string;
  readonly security?: readonly unknown[];
  readonly responses: Readonly<Record<string, unknown>>;
}

interface OpenApi {
  readonly openapi: string;
  readonly info: { readonly version: string };
  readonly paths: Readonly<Record<string, Readonly<Record<string, Operation>>>>;
  readonly components: { readonly schemas: Readonly<Record<string, unknown>> };
}

async function documentOf(url: string): Promise<OpenApi> {
  const { status, body } = await get(`${url}/openapi.json`);
  expect(status).toBe(200);
  return body as OpenApi;
}

const operationsIn = ({ paths }: OpenApi): readonly (readonly [string, Operation])[] =>
  Object.entries(paths).flatMap(([url, methods]) =>
    Object.entries(methods).map(([method, one]) => [`${method.toUpperCase()} ${url}`, one] as const),
  );

describe('the document', () => {
  test('is valid OpenAPI 3.1, the same as YAML, and needs no caller', async () => {
    const { url } = await startServer({ stateDir: tempStateDir() });
    const document = await documentOf(url);
    const validator = new Validator();
    expect(await validator.validate({ ...structuredClone(document) })).toEqual({ valid: true });
    expect(validator.version).toBe('3.1');
    expect(document).toMatchObject({ openapi: '3.1.0', info: { version } });
    const yaml = await get(`${url}/openapi.yaml`);
    expect(yaml.headers.get('content-type')).toContain('yaml');
    expect(parse(yaml.text)).toEqual(document);
  });

  test('tells of every route of both APIs who may ask and what is answered', async () => {
    const { url } = await startServer({ stateDir: tempStateDir() });
    const operations = new Map(operationsIn(await documentOf(url)));
    expect([...operations.keys()]).toEqual(
      expect.arrayContaining([
        'POST /api/attack/process',
        'DELETE /api/attack/{uid}',
        'GET /api/experiments/',
        'POST /api/v1/plans',
        'POST /api/v1/injections',
        'GET /api/v1/injections',
        'GET /api/v1/injections/{uid}',
        'DELETE /api/v1/injections/{uid}',
        'DELETE /api/v1/injections',
        'POST /api/v1/halt',
        'POST /api/v1/schedules',
        'GET /api/v1/events',
        'GET /metrics',
      ]),
    );
    for (const [name, { tags, responses, ...operation }] of operations) {
      const tag = name.includes('/api/v1/') ? 'v1' : name.includes('/api/') ? 'chaosd' : 'service';
      expect(tags, name).toEqual([tag]);
      expect(['read', 'attack', 'nobody'], name).toContain(operation['x-role']);
      expect(operation.security, name).toEqual(operation['x-role'] === 'nobody' ? [] : undefined);
      expect(
        Object.keys(responses).some((status) => status.startsWith('2')),
        name,
      ).toBe(true);
    }
    expect(operations.get('GET /api/v1/injections')?.['x-role']).toBe('read');
    expect(operations.get('POST /api/v1/injections')?.['x-role']).toBe('attack');
    const ids = [...operations.values()].flatMap(({ operationId }) => operationId ?? []);
    expect(new Set(ids).size).toBe(ids.length);
  });

  test('tells nothing that only the command line understands', async () => {
    const { url } = await startServer({ stateDir: tempStateDir() });
    const document = await documentOf(url);
    expect(JSON.stringify(document)).not.toMatch(/"(?:placeholder|completion|aliases|chaosd|x-name|\$id)":|"short":"/);
    expect(document.components.schemas).toMatchObject({
      ProcessStop: {
        additionalProperties: false,
        required: ['kind', 'action'],
        properties: {
          kind: { const: 'process' },
          action: { const: 'stop' },
          process: { type: 'string' },
          mode: { enum: expect.arrayContaining(['one', 'all']) },
          maxTargets: { type: 'integer', minimum: 1 },
        },
      },
    });
  });
});

describe('the page', () => {
  test('comes whole from the service, with nothing in it that a script could be put into', async () => {
    const { url } = await startServer({ stateDir: tempStateDir() });
    const page = await get(`${url}/docs`);
    expect(page.status).toBe(200);
    const policy = page.headers.get('content-security-policy') ?? '';
    expect(policy).toContain("default-src 'none'");
    expect(policy).toContain("script-src 'self';");
    expect(page.text).not.toMatch(/<script>|\son\w+=|https?:/);
    const parts = [...page.text.matchAll(/(?:src|href)="(\/[^"]+)"/g)].map(([, part = '']) => part);
    expect(parts).toHaveLength(3);
    for (const part of parts) {
      const type = part.endsWith('.css') ? 'text/css' : 'text/javascript';
      for (const encoding of ['gzip', 'identity']) {
        const answer = await get(url + part, { 'accept-encoding': encoding });
        expect(answer.status, part).toBe(200);
        expect(answer.headers.get('content-type'), part).toContain(type);
        expect(answer.headers.get('x-content-type-options')).toBe('nosniff');
        // The answer comes decoded, so that both ways must give the same.
        const source = path.join(root, 'node_modules/swagger-ui-dist', path.basename(part));
        if (!part.endsWith('start.js')) expect(answer.text === readFileSync(source, 'utf8'), part).toBe(true);
      }
    }
    expect((await get(`${url}/docs/start.js`)).text).toContain("'/openapi.json'");
  });

  test('is found where chaosd has its own', async () => {
    const { url } = await startServer({ stateDir: tempStateDir() });
    for (const there of ['/swagger', '/swagger/', '/swagger/index.html']) {
      const { status, headers } = await get(url + there);
      expect([status, headers.get('location')], there).toEqual([302, '/docs']);
    }
    for (const nowhere of ['/docs/swagger-ui.css.gz', '/docs/..%2fmain.js', '/swagger/doc.json']) {
      expect((await get(url + nowhere)).status, nowhere).toBe(404);
    }
  });
});

/*
 * What somebody has who makes a client from the document. Its types are checked as strictly as those of a program of
 * theirs; the lines that must not compile say so, and would fail the check if they did.
 */
const program = `
import { readFileSync } from 'node:fs';
import { ok } from '@oazapfts/runtime';
import * as api from './client.ts';

const [url = '', pid = ''] = process.argv.slice(2);
api.defaults.baseUrl = url;

function expect(what: string, right: boolean): void {
  if (!right) throw new Error(what);
}
const stateNow = (): string => /\\) (\\S)/.exec(readFileSync('/proc/' + pid + '/stat', 'utf8'))?.[1] ?? '';
async function becomes(states: string): Promise<void> {
  for (const end = Date.now() + 30_000; !states.includes(stateNow()); ) {
    expect('the process is in state ' + stateNow(), Date.now() < end);
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

const stop = { kind: 'process', action: 'stop', process: pid } as const;
// @ts-expect-error there is no such action
void (() => api.plan({ ...stop, action: 'freeze' }));
// @ts-expect-error a number is no name
void (() => api.plan({ ...stop, process: 5 }));
// @ts-expect-error no fault has such a field
void (() => api.plan({ kind: 'noop', action: 'hold', colour: 'red' }));

const planned = await ok(api.plan(stop));
const label: string | undefined = planned.targets[0]?.label;
expect('the plan names the process', label?.includes(pid) === true);
// @ts-expect-error a plan has no colour
void planned.colour;

const made = await ok(api.attack({ ...stop, uid: 'typed' }));
expect('it is confirmed', made.verdict === 'confirmed' && made.shortfall === null);
await becomes('T');
expect('it is told again', (await api.attack({ ...stop, uid: 'typed' })).status === 200);

const listed = await ok(api.listInjections({ state: 'injected', limit: 10 }));
expect('it is listed', listed.items.map(({ uid }) => uid).join() === 'typed' && listed.next === null);
const shown = await ok(api.findInjection('typed'));
expect('it is stopped now', shown.present?.[0]?.verdict === 'confirmed');
expect('its life is told', shown.timeline.some(({ type }) => type === 'injected'));
const undone = await ok(api.recover('typed'));
expect('it is recovered', undone.recovered && !undone.already);
await becomes('SR');

await ok(api.halt({ reason: 'a typed halt' }));
const refused = await api.attack(stop);
expect('attacks are refused', refused.status === 423 && 'error' in refused.data);
expect('the halt is told', (await ok(api.halted())).reason === 'a typed halt');
expect('it is released', (await ok(api.releaseHalt())).halted);
expect('attacks are allowed again', (await api.attack({ kind: 'noop', action: 'hold' })).status === 201);
const all = await ok(api.recoverAll());
expect('all is undone', all.recovered.length === 1 && all.failed.length === 0);

const nobody = await api.findInjection('nobody');
const error: api.Problem | null = 'error' in nobody.data ? nobody.data.error : null;
expect('errors are typed, too', nobody.status === 404 && error?.code === 'INJECTION_NOT_FOUND');
expect('faults are told', (await ok(api.listFaults())).items.some(({ kind }) => kind === 'process'));
console.log('the whole life');
`;

const strict = {
  compilerOptions: {
    strict: true,
    noEmit: true,
    skipLibCheck: true,
    target: 'es2023',
    module: 'nodenext',
    moduleDetection: 'force',
    allowImportingTsExtensions: true,
    types: ['node'],
  },
  files: ['client.ts', 'program.ts'],
};

describe('a client made from the document', () => {
  let folder = '';

  /** Within the checkout, where the packages are found that the client needs. */
  beforeEach(() => {
    const cache = path.join(root, 'node_modules/.cache/faultline');
    mkdirSync(cache, { recursive: true });
    folder = mkdtempSync(path.join(cache, 'client-'));
  });

  afterEach(() => {
    rmSync(folder, { recursive: true, force: true });
  });

  function run(file: string, ...args: readonly string[]): Promise<Ran> {
    const options = { cwd: folder, env: { ...process.env, NODE_OPTIONS: '' } };
    return finished(spawn(process.execPath, [file, ...args], { stdio: ['ignore', 'pipe', 'pipe'], ...options }));
  }

  test('has types, and drives the whole life of an injection', { timeout: 300_000 }, async () => {
    const { url } = await startServer({ stateDir: tempStateDir() });
    const { text } = await get(`${url}/openapi.json`);
    const file = (name: string): string => path.join(folder, name);
    writeFileSync(file('openapi.json'), text);
    writeFileSync(file('client.ts'), await generateSource(file('openapi.json')));
    writeFileSync(file('program.ts'), program);
    writeFileSync(file('package.json'), '{"type":"module"}');
    writeFileSync(file('tsconfig.json'), JSON.stringify(strict));
    const checked = await run(path.join(root, 'node_modules/typescript/bin/tsc'), '--project', folder);
    expect(checked).toMatchObject({ code: 0, stdout: '' });
    await build({
      entryPoints: [file('program.ts')],
      outfile: file('program.mjs'),
      bundle: true,
      format: 'esm',
      platform: 'node',
      logLevel: 'error',
    });
    const target = await sleeper('fl-typed');
    const ran = await run(file('program.mjs'), url, String(target.pid));
    expect(ran).toMatchObject({ code: 0, stdout: 'the whole life\n' });
    expect(stateOf(target.pid)).toBe('S');
  });
});
