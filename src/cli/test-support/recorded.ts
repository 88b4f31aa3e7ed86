import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { onTestFinished } from 'vitest';
import type {
  AttackDocument,
  InjectionDocument,
  PlanDocument,
  RecordDocument,
  RecoveryDocument,
} from '../../api/documents.ts';
import type { JsonObject } from '../../base/json.ts';

/*
 * A service that answers what a test tells it to, over real connections, and answers that Faultline's own has given.
 */

/** One request as it came. */
export interface Heard {
  readonly method: string;
  readonly url: string;
  readonly headers: IncomingMessage['headers'];
  readonly body: unknown;
}

export type Answering = (heard: Heard, response: ServerResponse, count: number) => void;

export interface RecordedService {
  readonly url: string;
  readonly heard: readonly Heard[];
}

async function textOf(request: IncomingMessage): Promise<string> {
  let text = '';
  request.setEncoding('utf8');
  for await (const piece of request) text += String(piece);
  return text;
}

/** Start it on a free port of the loopback address; it is gone after the test. */
export async function recordedService(answering: Answering): Promise<RecordedService> {
  const heard: Heard[] = [];
  const server = createServer((request, response) => {
    const hear = (text: string): void => {
      const { method = '', url = '', headers } = request;
      const one: Heard = { method, url, headers, body: text === '' ? undefined : JSON.parse(text) };
      heard.push(one);
      answering(one, response, heard.length);
    };
    // Who does not wait any more while asking is not heard: an error of its own would fail whichever test runs then.
    void textOf(request).then(hear, () => undefined);
  });
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve);
  });
  // Not a hook of this file's: that would be one of the first test file only that uses it, of those in one process.
  onTestFinished(
    () =>
      new Promise<void>((resolve) => {
        server.close(() => {
          resolve();
        });
        server.closeAllConnections();
      }),
  );
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, heard };
}

export function answer(response: ServerResponse, status: number, document: unknown): void {
  response.writeHead(status, { 'content-type': 'application/json; charset=utf-8' });
  response.end(JSON.stringify(document));
}

const target = { key: 'process:4123:889233', label: 'pid 4123 (nginx)' };

export const recorded: RecordDocument = {
  uid: 'demo',
  kind: 'process',
  action: 'stop',
  state: 'injected',
  status: 'success',
  verdict: 'confirmed',
  createdAt: '2026-11-21T03:42:15.601Z',
  updatedAt: '2026-11-21T03:42:15.611Z',
  leaseMs: null,
  repeatMs: null,
  rounds: 1,
  schedule: null,
  spec: { criteria: { process: 'nginx' }, signal: 19 },
  error: null,
  actor: { via: 'http', user: 'root' },
};

const stopped = {
  target,
  verdict: 'confirmed',
  seen: 'stopped (state T) after 219 µs',
  evidence: { state: 'T' },
} as const;

export const injection: InjectionDocument = {
  ...recorded,
  targets: [{ ...stopped, phase: 'inject', round: 0 }],
  present: [{ ...stopped, seen: 'is stopped (state T)' }],
  plan: { kind: 'process' },
  effects: [
    {
      id: 1,
      round: 0,
      type: 'signal',
      target,
      apply: { signal: 19 },
      undo: { signal: 18 },
      hold: 'stopped:process:4123:889233',
      status: 'applied',
      outcome: {},
      intendedBootMs: 12,
      settledBootMs: 13,
    },
  ],
  timeline: [{ at: '2026-11-21T03:42:15.601Z', bootMs: 10, type: 'planned', data: { targets: 1 } }],
};

export const attacked: AttackDocument = { ...injection, shortfall: null };

export const planned: PlanDocument = {
  dryRun: true,
  kind: 'process',
  action: 'stop',
  targets: [{ ...target, does: 'SIGSTOP', about: { pid: 4123, uid: 0, argv: ['nginx'] } }],
  leftOut: [],
  matched: 1,
  sustained: true,
  notes: [],
  data: {},
};

export const recovered: RecoveryDocument = {
  uid: 'demo',
  state: 'recovered',
  recovered: true,
  already: false,
  repeatMs: null,
  targets: [{ ...stopped, seen: 'runs again (state S)' }],
  error: null,
  shortfall: null,
};

/** An answer without one of its fields. */
export function without(document: object, field: string): JsonObject {
  return Object.fromEntries(Object.entries(document).filter(([name]) => name !== field));
}
