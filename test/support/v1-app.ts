import { FormatRegistry } from '@sinclair/typebox';
import { Errors } from '@sinclair/typebox/errors';
import { Check } from '@sinclair/typebox/value';
import { fastify, type FastifyInstance, type FastifyRequest } from 'fastify';
import { afterEach } from 'vitest';
import type { Operations } from '../../src/api/operations.ts';
import type { TSchema } from '../../src/base/schema-types.ts';
import { type Engine, openEngine } from '../../src/experiment/engine.ts';
import { deathRecorder } from '../../src/server/deaths/recorder.ts';
import { addJsonBody } from '../../src/server/limits/json-body.ts';
import { addOpenApi } from '../../src/server/openapi/routes.ts';
import type { ServerOptions } from '../../src/server/options.ts';
import { identifyRequests } from '../../src/server/request-id.ts';
import { serviceOver } from '../../src/server/service.ts';
import { answerErrors } from '../../src/server/v1/errors.ts';
import { v1Routes } from '../../src/server/v1/routes.ts';
import { refuseUnknownRoutes } from '../../src/server/v1/unknown-route.ts';
import { workUnderWay } from '../../src/server/work.ts';
import { tempStateDir } from './cli.ts';

/*
 * Our own API in this process: the real routes on the real engine behind a real socket, without what lets callers in.
 * Every answer is checked against the schema that its route shows.
 */

/** Says which role a request has; without it, `attack`. */
export const roleHeader = 'x-test-role';

export interface TestApp {
  /** `http://127.0.0.1:40123/api/v1` */
  readonly url: string;
  readonly engine: Engine;
  /** What it has written to its log until now. */
  log(): string;
}

export interface TestAppOptions {
  readonly allowRecoverCmd?: boolean;
  /** In place of what the engine would do. */
  readonly operations?: Partial<Operations>;
}

FormatRegistry.Set('date-time', (text) => new Date(text).toISOString() === text);

/** Schemas are left open for later versions; here no field may be there that they do not name. */
function closed<Schema>(schema: Schema): Schema {
  if (typeof schema !== 'object' || schema === null) return schema;
  if (Array.isArray(schema)) return schema.map(closed) as Schema;
  const copy = Object.fromEntries(Object.entries(schema).map(([key, value]) => [key, closed(value)]));
  const close = 'properties' in schema && !('additionalProperties' in schema) ? { additionalProperties: false } : {};
  // What TypeBox knows a schema by are symbols, which a spread keeps.
  return { ...schema, ...copy, ...close };
}

function schemaOf({ routeOptions }: FastifyRequest, status: number): TSchema | undefined {
  const responses = routeOptions.schema?.response as Readonly<Record<string, TSchema>> | undefined;
  return responses?.[status] ?? responses?.[`${Math.floor(status / 100)}xx`];
}

/** What is wrong with an answer, if anything is. */
function faultsOf(request: FastifyRequest, status: number, payload: string): readonly string[] {
  const schema = schemaOf(request, status);
  const where = `${request.method} ${request.url} → ${status}`;
  // What no route answers has no schema; it is an error like any other.
  if (schema === undefined) return request.is404 && status >= 400 ? [] : [`${where}: no schema`];
  const body: unknown = JSON.parse(payload);
  if (Check(closed(schema), body)) return [];
  return [...Errors(closed(schema), body)].map(({ path, message }) => `${where}: ${path} ${message}`);
}

const running: { readonly app: FastifyInstance; readonly engine: Engine; readonly faults: readonly string[] }[] = [];

function engineIn(stateDir: string): Engine {
  return openEngine({
    stateDir,
    via: 'service',
    program: [process.execPath, `${import.meta.dirname}/../../dist/faultline.js`],
    interrupted: new AbortController().signal,
    observe: () => undefined,
  });
}

function optionsFor(stateDir: string, allowRecoverCmd: boolean): ServerOptions {
  return {
    stateDir,
    logLevel: 'info',
    program: [],
    host: '127.0.0.1',
    port: 0,
    httpsPort: 0,
    certFile: undefined,
    keyFile: undefined,
    caFile: undefined,
    tokenFile: undefined,
    readTokenFile: undefined,
    allowRecoverCmd,
    watchDeaths: false,
    maxBodyBytes: 1_048_576,
    maxRate: 10_000,
    maxConcurrency: 16,
    maxConnections: 1_000,
  };
}

function addCaller(app: FastifyInstance): void {
  app.decorateRequest('caller', undefined);
  app.addHook('onRequest', (request, _reply, done) => {
    const role = request.headers[roleHeader] === 'read' ? 'read' : 'attack';
    request.caller = { role, actor: { via: 'http' } };
    done();
  });
}

/** Start it on a free port; it is ended after the test, which fails if an answer was not what its schema says. */
export async function startV1(options: TestAppOptions = {}): Promise<TestApp> {
  const stateDir = tempStateDir();
  const engine = engineIn(stateDir);
  await engine.enterService('a test');
  let log = '';
  const stream = { write: (line: string) => (log += line) };
  const app: FastifyInstance = fastify({
    logger: { level: 'info', stream },
    routerOptions: { maxParamLength: 2_048 },
  });
  const faults: string[] = [];
  running.push({ app, engine, faults });
  const parts = { engine, options: optionsFor(stateDir, options.allowRecoverCmd ?? true), log: app.log };
  const service = serviceOver({ ...parts, work: workUnderWay(), deaths: deathRecorder(engine, app.log) });
  answerErrors(app);
  identifyRequests(app);
  addCaller(app);
  addJsonBody(app);
  refuseUnknownRoutes(app);
  addOpenApi(app);
  app.addHook('onSend', (request, reply, payload, done) => {
    const isJson = String(reply.getHeader('content-type')).startsWith('application/json');
    if (isJson && request.url.startsWith('/api/')) faults.push(...faultsOf(request, reply.statusCode, String(payload)));
    done(null, payload);
  });
  const operationsFor: typeof service.operationsFor = (caller) => ({
    ...service.operationsFor(caller),
    ...options.operations,
  });
  await app.register(v1Routes({ ...service, operationsFor }), { prefix: '/api/v1' });
  const url = await app.listen({ host: '127.0.0.1', port: 0 });
  return Object.freeze({ url: `${url}/api/v1`, engine, log: () => log });
}

afterEach(async () => {
  for (const { app, engine, faults } of running.splice(0)) {
    await app.close();
    await engine.recoverAll(true);
    engine.close();
    if (faults.length > 0) throw new Error(`answers that are not what they should be:\n${faults.join('\n')}`);
  }
});
