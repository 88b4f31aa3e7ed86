import { createServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import { afterEach, describe, expect, test } from 'vitest';
import type { RecordDocument } from '../../api/documents.ts';
import type { Operations } from '../../api/operations.ts';
import { FaultlineError } from '../../base/error.ts';
import { errorCodes } from '../../base/error-codes.ts';
import { parseAttack } from '../../experiment/request.ts';
import {
  answer,
  type Answering,
  attacked,
  injection,
  planned,
  recorded,
  recordedService,
  type RecordedService,
  recovered,
  without,
} from '../test-support/recorded.ts';
import { type Client, openClient } from './client.ts';
import { remoteOperations } from './operations.ts';

const clients: Client[] = [];

afterEach(() => {
  for (const client of clients.splice(0)) client.close();
});

interface Reached {
  readonly operations: Operations;
  readonly trace: readonly string[];
}

async function reach(url: string, signal = new AbortController().signal, token?: string): Promise<Reached> {
  const trace: string[] = [];
  const client = await openClient({ url, token, tls: {} }, { signal, trace: (line) => trace.push(line) });
  clients.push(client);
  return { operations: remoteOperations(client), trace };
}

async function against(answering: Answering): Promise<Reached & { readonly service: RecordedService }> {
  const service = await recordedService(answering);
  return { ...(await reach(service.url)), service };
}

async function refusal(promise: Promise<unknown>): Promise<FaultlineError> {
  const error = await promise.then(
    () => new Error('it was not refused'),
    (thrown: unknown) => thrown,
  );
  if (error instanceof FaultlineError) return error;
  throw error;
}

const stop = () => parseAttack('process', 'stop', { uid: 'demo', duration: '30s' }, { process: 'nginx' });

describe('what is asked', () => {
  const empty = { recovered: [], failed: [] };
  const halt = { halted: true, reason: 'why', by: {}, at: '2026-11-21T03:42:15.601Z' };
  const body = { kind: 'process', action: 'stop', process: 'nginx', uid: 'demo', duration: '30000ms' };
  const asked: readonly (readonly [string, (operations: Operations) => Promise<unknown>, unknown, unknown])[] = [
    ['POST /api/v1/plans', async (o) => o.plan(await stop()), planned, body],
    ['POST /api/v1/injections', async (o) => o.attack(await stop()), attacked, body],
    ['GET /api/v1/injections/demo', (o) => o.find('demo'), injection, undefined],
    ['DELETE /api/v1/injections/demo', (o) => o.recover('demo', false), recovered, undefined],
    ['DELETE /api/v1/injections/demo?abandon=true', (o) => o.recover('demo', true), recovered, undefined],
    ['DELETE /api/v1/injections', (o) => o.recoverAll(false), empty, undefined],
    ['DELETE /api/v1/injections?abandon=true', (o) => o.recoverAll(true), empty, undefined],
    ['POST /api/v1/halt', (o) => o.halt('why'), empty, { reason: 'why' }],
    ['GET /api/v1/halt', (o) => o.halted(), halt, undefined],
    ['DELETE /api/v1/halt', (o) => o.releaseHalt(), halt, undefined],
  ];

  test.each(asked)('%s', async (line, act, document, sent) => {
    const { operations, service } = await against((_heard, response) => {
      answer(response, line === 'POST /api/v1/injections' ? 201 : 200, document);
    });
    expect(await act(operations)).toEqual(document);
    expect(service.heard.map(({ method, url }) => `${method} ${url}`)).toEqual([line]);
    expect(service.heard[0]?.body).toEqual(sent);
    expect(service.heard[0]?.headers.authorization).toBeUndefined();
  });

  test('the log and the host are taken out of their answers', async () => {
    const entry = {
      id: 1,
      at: halt.at,
      actor: {},
      action: 'halt',
      subject: null,
      parameters: {},
      result: 'ok',
      message: null,
    };
    const part = { part: 'engine', requirements: [{ name: 'Linux', status: 'ok', detail: '6.18' }] };
    const { operations, service } = await against(({ url }, response) => {
      answer(response, 200, url.includes('audit') ? { items: [entry] } : { parts: [part] });
    });
    expect(await operations.audit(7)).toEqual([entry]);
    expect(await operations.examine()).toEqual([part]);
    expect(service.heard.map(({ url }) => url)).toEqual(['/api/v1/audit?limit=7', '/api/v1/host']);
  });

  test('the token goes into the header, and nowhere else', async () => {
    const service = await recordedService((_heard, response) => {
      answer(response, 200, halt);
    });
    const { operations, trace } = await reach(service.url, undefined, 'a-token');
    await operations.halted();
    expect(service.heard[0]?.headers.authorization).toBe('Bearer a-token');
    expect(`${service.heard[0]?.url ?? ''} ${trace.join()}`).not.toContain('a-token');
    expect(trace).toEqual([expect.stringMatching(/^GET http:\/\/127\.0\.0\.1:\d+\/api\/v1\/halt → 200, /)]);
  });

  test.each(['', '.', '..', '../halt', 'a/b', 'a?b', '%2e%2e', 'x'.repeat(200), 'a\nb'])(
    'the uid %j goes nowhere',
    async (uid) => {
      const { operations, service } = await against((_heard, response) => {
        answer(response, 200, recovered);
      });
      expect((await refusal(operations.recover(uid, true))).code).toBe('INJECTION_NOT_FOUND');
      expect((await refusal(operations.find(uid))).code).toBe('INJECTION_NOT_FOUND');
      expect(service.heard).toEqual([]);
    },
  );
});

describe('lists', () => {
  const records = (count: number): readonly RecordDocument[] =>
    Array.from({ length: count }, (_none, index) => ({ ...recorded, uid: `uid-${index}` }));

  function listing(all: readonly RecordDocument[]): Answering {
    return ({ url }, response) => {
      const { searchParams: query } = new URL(url, 'http://service');
      const offset = Number(query.get('offset'));
      const limit = Number(query.get('limit'));
      if (limit > 500) answer(response, 400, { error: { code: 'ARGUMENT_INVALID', message: 'too many', hint: null } });
      else answer(response, 200, { items: all.slice(offset, offset + limit), total: all.length, offset });
    };
  }

  test('without a limit all pages are fetched', async () => {
    const all = records(1_203);
    const { operations, service } = await against(listing(all));
    const page = await operations.list({});
    expect(page.items).toEqual(all);
    expect(page.total).toBe(1_203);
    expect(service.heard.map(({ url }) => url)).toEqual([
      '/api/v1/injections?order=desc&offset=0&limit=500',
      '/api/v1/injections?order=desc&offset=500&limit=500',
      '/api/v1/injections?order=desc&offset=1000&limit=500',
    ]);
  });

  test('with a limit no more than that', async () => {
    const all = records(1_203);
    const { operations, service } = await against(listing(all));
    expect((await operations.list({ limit: 3, offset: 10 })).items).toEqual(all.slice(10, 13));
    expect((await operations.list({ limit: 700, offset: 1_000 })).items).toEqual(all.slice(1_000));
    expect((await operations.list({ limit: 600 })).items).toEqual(all.slice(0, 600));
    expect(service.heard.map(({ url }) => url.replace(/.*offset/, 'offset'))).toEqual([
      'offset=10&limit=3',
      'offset=1000&limit=500',
      'offset=0&limit=500',
      'offset=500&limit=100',
    ]);
  });

  test('filters go along', async () => {
    const { operations, service } = await against(listing([]));
    await operations.list({ states: ['injected', 'recovering'], kind: 'process', schedule: 's', ascending: true });
    expect([...new URL(service.heard[0]?.url ?? '', 'http://service').searchParams]).toEqual([
      ['state', 'injected,recovering'],
      ['kind', 'process'],
      ['schedule', 's'],
      ['order', 'asc'],
      ['offset', '0'],
      ['limit', '500'],
    ]);
  });

  test('what moves to the next page meanwhile is told once', async () => {
    const all = records(1_000);
    const { operations } = await against(({ url }, response, count) => {
      const fresh = count === 1 ? [] : [{ ...recorded, uid: 'new' }];
      const offset = Number(new URL(url, 'http://service').searchParams.get('offset'));
      const now = [...fresh, ...all];
      answer(response, 200, { items: now.slice(offset, offset + 500), total: now.length, offset });
    });
    expect((await operations.list({})).items.map(({ uid }) => uid)).toEqual(all.map(({ uid }) => uid));
  });

  test('a service that gives the same page for ever is left', async () => {
    const { operations, service } = await against((_heard, response) => {
      answer(response, 200, { items: records(2), total: 1_000_000, offset: 0 });
    });
    expect((await operations.list({})).items).toHaveLength(2);
    expect(service.heard).toHaveLength(2);
  });
});

describe('errors', () => {
  test.each(Object.keys(errorCodes))('%s is thrown as it would be here', async (code) => {
    const error = { code, message: 'a sentence', hint: 'a hint', details: { uid: 'demo' } };
    const { operations } = await against((_heard, response) => {
      answer(response, errorCodes[code as keyof typeof errorCodes].http, { error });
    });
    const { message, hint, details, ...thrown } = await refusal(operations.recover('demo', false));
    expect({ code: thrown.code, message, hint, details }).toEqual(error);
  });

  test('a recovery that is not whole comes with its document, though its status is no success', async () => {
    const shortfall = { code: 'RECOVERY_INCOMPLETE', message: 'not undone whole', hint: null };
    const document = { ...recovered, state: 'injected', recovered: false, shortfall };
    const { operations } = await against((_heard, response) => {
      answer(response, 409, document);
    });
    expect(await operations.recover('demo', false)).toEqual(document);
    expect((await refusal(operations.find('demo'))).code).toBe('SERVER_UNREACHABLE');
  });

  test('a code of a newer service keeps its words', async () => {
    const { operations } = await against((_heard, response) => {
      answer(response, 418, { error: { code: 'TEAPOT_HOT', message: 'it boils', hint: null } });
    });
    const error = await refusal(operations.halted());
    expect(error).toMatchObject({ code: 'UNEXPECTED', message: 'it boils (TEAPOT_HOT)', hint: undefined });
  });

  test('what could act on a terminal does not', async () => {
    const { operations } = await against((_heard, response) => {
      answer(response, 404, { error: { code: 'INJECTION_NOT_FOUND', message: '\u001b[31mred', hint: 'a\r\n  ^b' } });
    });
    const error = await refusal(operations.find('demo'));
    // A hint may show a place in a text, in lines of its own.
    expect(error).toMatchObject({ message: String.raw`\x1b[31mred`, hint: `a\\x0d\n  ^b` });
  });

  test('an injection with an error of its own is no error', async () => {
    const failed = { ...attacked, state: 'failed', error: { code: 'INJECTION_FAILED', message: 'no' } };
    const { operations } = await against((_heard, response) => {
      answer(response, 201, failed);
    });
    expect(await operations.attack(await stop())).toEqual(failed);
  });
});

describe('whoever answers otherwise', () => {
  const page = '<html>welcome</html>';
  const foreign: readonly (readonly [string, Answering, RegExp])[] = [
    ['a page', (_h, r) => r.writeHead(200, { 'content-type': 'text/html' }).end(page), /status 200, text\/html/],
    ['an error page', (_h, r) => r.writeHead(502, { 'content-type': 'text/html' }).end(page), /status 502/],
    ['nothing', (_h, r) => r.writeHead(204).end(), /status 204, no type/],
    ['broken JSON', (_h, r) => r.writeHead(200, { 'content-type': 'application/json' }).end('{'), /status 200/],
    [
      'another error',
      (_h, r) => {
        answer(r, 404, { message: 'Route not found', statusCode: 404 });
      },
      /status 404/,
    ],
    [
      'a redirect',
      (_h, r) => r.writeHead(302, { location: 'https://elsewhere/' }).end(),
      /sends elsewhere to https:\/\/elsewhere\//,
    ],
    [
      'null',
      (_h, r) => {
        answer(r, 200, null);
      },
      /no injection as this version knows/,
    ],
    [
      'a list',
      (_h, r) => {
        answer(r, 200, [attacked]);
      },
      /no injection as this version knows/,
    ],
    [
      'half of it',
      (_h, r) => {
        answer(r, 201, without(attacked, 'timeline'));
      },
      /no injection as this version knows/,
    ],
    [
      'a wicked name',
      (_h, r) => {
        answer(r, 201, { ...attacked, uid: '\u001b[2J' });
      },
      /no injection as this version knows/,
    ],
  ];

  test.each(foreign)('%s: told with the address', async (_what, answering, words) => {
    const { operations, service } = await against(answering);
    const error = await refusal(operations.attack(await stop()));
    expect(error.code).toBe('SERVER_UNREACHABLE');
    expect(error.message).toContain(service.url);
    expect(error.message).toMatch(words);
    expect(error.hint).toBeTruthy();
    expect(service.heard).toHaveLength(1);
  });

  test('a newer service may tell more', async () => {
    const more = { ...attacked, mood: 'fine', targets: attacked.targets.map((one) => ({ ...one, mood: 'bad' })) };
    const { operations } = await against((_heard, response) => {
      answer(response, 201, more);
    });
    expect(await operations.attack(await stop())).toEqual(more);
  });

  test('nobody is there', async () => {
    const { operations } = await reach('http://127.0.0.1:1');
    const error = await refusal(operations.attack(await stop()));
    expect(error).toMatchObject({ code: 'SERVER_UNREACHABLE', message: expect.stringContaining('refused') });
    expect(error.hint).not.toContain('done all the same');
  });

  test('something that does not speak HTTP', async () => {
    const server = createServer((socket) => {
      socket.on('error', () => undefined);
      socket.end('220 mail.example ESMTP\r\n');
    });
    await new Promise<void>((resolve) => {
      server.listen(0, '127.0.0.1', resolve);
    });
    const { operations } = await reach(`http://127.0.0.1:${(server.address() as AddressInfo).port}`);
    const error = await refusal(operations.halted());
    server.close();
    expect(error.message).toContain('does not answer in HTTP');
  });

  test('plain HTTP where TLS was expected', async () => {
    const { url } = await recordedService((_heard, response) => response.end());
    const { operations } = await reach(url.replace('http:', 'https:'));
    const error = await refusal(operations.halted());
    expect(error.message).toContain('does not speak TLS');
    expect(error.hint).toContain('http://');
  });
});

describe('a connection that breaks before the answer', () => {
  const breaks: Answering = (_heard, response) => response.socket?.resetAndDestroy();

  test('an attack is asked once more with the same uid, and that it was there already is no error then', async () => {
    const { operations, service } = await against((heard, response, count) => {
      if (count === 1) breaks(heard, response, count);
      else answer(response, 200, attacked);
    });
    expect(await operations.attack(await stop())).toEqual(attacked);
    expect(service.heard.map(({ body }) => body)).toEqual([service.heard[0]?.body, service.heard[0]?.body]);
  });

  test('once more, not for ever; the hint says how to look', async () => {
    const { operations, service } = await against(breaks);
    const error = await refusal(operations.attack(await stop()));
    expect(service.heard).toHaveLength(2);
    expect(error.code).toBe('SERVER_UNREACHABLE');
    expect(error.hint).toContain(`faultline show demo --server ${service.url}`);
  });

  test('what would say something else the second time is asked once', async () => {
    const { operations, service } = await against(breaks);
    await refusal(operations.halt('why'));
    await refusal(operations.releaseHalt());
    await refusal(operations.recoverAll(false));
    expect(service.heard).toHaveLength(3);
  });

  test('an answer that breaks off is not asked for again', async () => {
    const { operations, service } = await against((_heard, response) => {
      response.writeHead(201, { 'content-type': 'application/json', 'content-length': '1000' });
      response.write('{"uid":', () => response.socket?.resetAndDestroy());
    });
    const error = await refusal(operations.attack(await stop()));
    expect(service.heard).toHaveLength(1);
    expect(error.code).toBe('SERVER_UNREACHABLE');
  });

  test('an attack that was there before we asked is told as it is here', async () => {
    const { operations } = await against((_heard, response) => {
      answer(response, 200, attacked);
    });
    const error = await refusal(operations.attack(await stop()));
    expect(error).toMatchObject({
      code: 'INJECTION_EXISTS',
      message: expect.stringContaining('demo already (injected)'),
    });
  });
});

describe('a user who does not want to wait', () => {
  test('is told that the service goes on, and how to look', async () => {
    const impatience = new AbortController();
    const service = await recordedService(() => {
      impatience.abort(); // the request has come; no answer follows
    });
    const { operations } = await reach(service.url, impatience.signal);
    const error = await refusal(operations.attack(await stop()));
    expect(error.code).toBe('INTERRUPTED');
    expect(error.message).toContain(`the service at ${service.url} goes on with it`);
    expect(error.hint).toContain(`faultline show demo --server ${service.url}`);
    expect(service.heard).toHaveLength(1);
  });

  test('asks nothing more', async () => {
    const impatience = new AbortController();
    impatience.abort();
    const service = await recordedService((_heard, response) => response.end());
    const { operations } = await reach(service.url, impatience.signal);
    expect((await refusal(operations.attack(await stop()))).code).toBe('INTERRUPTED');
    expect(service.heard).toHaveLength(0);
  });
});
