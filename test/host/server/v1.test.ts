import { describe, expect, test } from 'vitest';
import { commandLineWordsIn } from '../../support/command-line-words.ts';
import { del, get, post, request } from '../../support/http-requests.ts';
import { roleHeader, startV1, type TestApp } from '../../support/v1-app.ts';
import { sleeper, stateOf, until } from '../targets/processes.ts';

const reader = { [roleHeader]: 'read' };

const stopOf = (pid: number, more: object = {}): object => ({
  kind: 'process',
  action: 'stop',
  process: String(pid),
  ...more,
});
const hold = (more: object = {}): object => ({ kind: 'noop', action: 'hold', ...more });

/** Hold some imaginary targets, the first of them with the lowest number. */
async function holdSome({ url }: TestApp, names: readonly string[]): Promise<void> {
  for (const name of names) {
    expect(await post(`${url}/injections`, hold({ uid: name, name }))).toMatchObject({ status: 201 });
  }
}

const uidsIn = (body: unknown): readonly string[] =>
  (body as { readonly items: readonly { readonly uid: string }[] }).items.map(({ uid }) => uid);

describe('one injection', () => {
  test('planned, made, shown, listed, undone, and undone again', async () => {
    const { url } = await startV1();
    const target = await sleeper('fl-v1-life');
    const plan = await post(`${url}/plans`, stopOf(target.pid));
    expect(plan).toMatchObject({
      status: 200,
      body: { dryRun: true, targets: [{ about: { pid: target.pid } }], sustained: true },
    });
    expect(stateOf(target.pid)).toBe('S');
    expect((await get(`${url}/injections`)).body).toMatchObject({ total: 0 });
    const made = await post(`${url}/injections`, stopOf(target.pid));
    expect(made).toMatchObject({
      status: 201,
      body: { state: 'injected', status: 'success', verdict: 'confirmed', shortfall: null },
    });
    expect(stateOf(target.pid)).toBe('T');
    const { uid } = made.body as { readonly uid: string };
    expect(made.headers.get('location')).toBe(`/api/v1/injections/${uid}`);
    const shown = await get(`${url}/injections/${uid}`);
    expect(shown).toMatchObject({ status: 200, body: { uid, present: [{ verdict: 'confirmed' }] } });
    expect((await get(`${url}/injections`)).body).toMatchObject({ total: 1, items: [{ uid }], next: null });
    const undone = await del(`${url}/injections/${uid}`);
    expect(undone).toMatchObject({ status: 200, body: { uid, recovered: true, already: false, shortfall: null } });
    await until('it runs again', () => stateOf(target.pid) === 'S');
    const again = await del(`${url}/injections/${uid}`);
    expect(again).toMatchObject({ status: 200, body: { recovered: true, already: true } });
  });

  test('the same uid in the same words is answered as before; in other words it is refused', async () => {
    const { url } = await startV1();
    const target = await sleeper('fl-v1-twice');
    const first = await post(`${url}/injections`, stopOf(target.pid, { uid: 'twice' }));
    const second = await post(`${url}/injections`, stopOf(target.pid, { uid: 'twice' }));
    expect([first.status, second.status]).toEqual([201, 200]);
    expect(second.body).toEqual(first.body);
    const other = await post(`${url}/injections`, hold({ uid: 'twice' }));
    expect(other).toMatchObject({ status: 409, body: { error: { code: 'INJECTION_EXISTS' } } });
    expect((await get(`${url}/injections`)).body).toMatchObject({ total: 1 });
  });

  test('a kill cannot be undone, which its document says', async () => {
    const { url } = await startV1();
    const target = await sleeper('fl-v1-kill');
    const body = { kind: 'process', action: 'kill', process: String(target.pid), uid: 'killed' };
    expect(await post(`${url}/injections`, body)).toMatchObject({ status: 201, body: { state: 'unrecoverable' } });
    expect(await del(`${url}/injections/killed`)).toMatchObject({
      status: 200,
      body: { recovered: false, already: true, shortfall: { code: 'RECOVERY_IMPOSSIBLE' } },
    });
  });

  test('what is left to undo is a conflict until it is given up', async () => {
    const { url } = await startV1();
    const target = await sleeper('fl-v1-left');
    await post(`${url}/injections`, stopOf(target.pid, { uid: 'left', recoverCmd: 'exit 3' }));
    const undone = await del(`${url}/injections/left`);
    expect(undone).toMatchObject({
      status: 409,
      body: { uid: 'left', state: 'injected', shortfall: { code: 'RECOVERY_INCOMPLETE' } },
    });
    await until('it runs again', () => stateOf(target.pid) === 'S');
    expect(await del(`${url}/injections/left?abandon=true`)).toMatchObject({
      status: 200,
      body: { state: 'unrecoverable' },
    });
  });

  test('a draw that chose nobody is no success: nothing was made', async () => {
    const { url } = await startV1();
    const target = await sleeper('fl-v1-none');
    const body = stopOf(target.pid, { mode: 'random-max-percent', value: 1 });
    expect(await post(`${url}/injections`, body)).toMatchObject({
      status: 409,
      body: { error: { code: 'TARGET_NONE' } },
    });
    expect((await get(`${url}/injections`)).body).toMatchObject({ total: 0 });
    expect(stateOf(target.pid)).toBe('S');
  });
});

describe('recover commands', () => {
  const secret = 'echo "the password is hunter2" >&2; exit 7';

  test('are shown to those who may attack, and nowhere to those who may only read', async () => {
    const { url } = await startV1();
    const target = await sleeper('fl-v1-secret');
    await post(`${url}/injections`, stopOf(target.pid, { uid: 'secret', recoverCmd: secret }));
    expect((await del(`${url}/injections/secret`)).status).toBe(409);
    const shown = await get(`${url}/injections/secret`);
    expect(shown.text).toContain('hunter2');
    expect(shown.body).toMatchObject({ spec: { recoverCmd: secret } });
    const answers = [
      await get(`${url}/injections/secret`, reader),
      await get(`${url}/injections`, reader),
      await get(`${url}/injections`),
    ];
    for (const { text, status } of answers) {
      expect(status).toBe(200);
      expect(text).not.toContain('hunter2');
    }
    // The audit log is not for them either, and tells the command of nobody's request.
    expect((await get(`${url}/audit`)).text).not.toContain(JSON.stringify(secret));
    expect(answers[0]?.body).toMatchObject({ spec: { recoverCmd: '(given)' }, state: 'injected' });
    expect(answers[0]?.text).toContain('the recover command exited with 7');
  });

  test('are refused where the service does not take them', async () => {
    const { url } = await startV1({ allowRecoverCmd: false });
    const target = await sleeper('fl-v1-refused');
    for (const field of ['recoverCmd', 'recover-cmd']) {
      const body = stopOf(target.pid, { [field]: 'true' });
      const refused = { status: 403, body: { error: { code: 'FORBIDDEN' } } };
      expect(await post(`${url}/injections`, body)).toMatchObject(refused);
      expect(await post(`${url}/plans`, body)).toMatchObject(refused);
      expect(await post(`${url}/schedules`, { ...body, schedule: '@every 1h', duration: '1s' })).toMatchObject(refused);
    }
    expect(stateOf(target.pid)).toBe('S');
  });
});

describe('lists', () => {
  const names = ['h1', 'h2', 'h3', 'h4', 'h5', 'h6', 'h7'];

  test('are paged by their links, in both orders', async () => {
    const app = await startV1();
    await holdSome(app, names);
    for (const [order, expected] of [
      ['asc', names],
      ['desc', names.toReversed()],
    ] as const) {
      const seen: string[] = [];
      let next: string | null = `/api/v1/injections?order=${order}&limit=3&kind=noop`;
      let pages = 0;
      while (next !== null) {
        const { status, body } = await get(new URL(next, app.url).href);
        expect(status).toBe(200);
        expect(body).toMatchObject({ total: 7, offset: seen.length });
        seen.push(...uidsIn(body));
        ({ next } = body as { readonly next: string | null });
        pages += 1;
      }
      expect(seen).toEqual(expected);
      expect(pages).toBe(3);
    }
  });

  test('are filtered by our words, by those of chaosd, and by both', async () => {
    const app = await startV1();
    await holdSome(app, ['h1', 'h2', 'h3']);
    await del(`${app.url}/injections/h2`);
    const listed = async (query: string): Promise<readonly string[]> =>
      uidsIn((await get(`${app.url}/injections?order=asc&${query}`)).body);
    expect(await listed('state=injected')).toEqual(['h1', 'h3']);
    expect(await listed('state=injected,recovered')).toEqual(['h1', 'h2', 'h3']);
    expect(await listed('status=destroyed')).toEqual(['h2']);
    expect(await listed('status=destroyed&state=injected')).toEqual([]);
    expect(await listed('kind=process')).toEqual([]);
    expect(await listed('schedule=none')).toEqual([]);
    expect(await listed('offset=2')).toEqual(['h3']);
    expect(await listed('offset=900719925474099')).toEqual([]);
  });

  test.each([
    ['limit=0'],
    ['limit=501'],
    ['limit=ten'],
    ['limit=1e3'],
    ['limit=-1'],
    ['offset=99999999999999999999'],
    ['limit=1&limit=2'],
    ['state=stopped'],
    ['state='],
    ['status=running'],
    ['order=up'],
    ['uid=h1'],
    ['__proto__=1'],
    ['constructor=1'],
    [`kind=${'k'.repeat(200)}`],
  ])('a query that means nothing is refused: %s', async (query) => {
    const { url } = await startV1();
    expect(await get(`${url}/injections?${query}`)).toMatchObject({
      status: 400,
      body: { error: { code: 'ARGUMENT_INVALID' } },
    });
  });

  test('nothing is undone by a query that was not understood', async () => {
    const app = await startV1();
    await holdSome(app, ['h1']);
    for (const query of ['abandon=yes', 'abandon', 'abandom=true']) {
      expect((await del(`${app.url}/injections/h1?${query}`)).status).toBe(400);
      expect((await del(`${app.url}/injections?${query}`)).status).toBe(400);
    }
    expect((await get(`${app.url}/injections/h1`)).body).toMatchObject({ state: 'injected' });
  });
});

describe('all at once', () => {
  test('everything live is undone', async () => {
    const app = await startV1();
    await holdSome(app, ['h1', 'h2']);
    const { status, body } = await del(`${app.url}/injections`);
    expect(status).toBe(200);
    expect(body).toMatchObject({ recovered: [{ uid: 'h2' }, { uid: 'h1' }], failed: [] });
  });

  test('a halt undoes, holds attacks off, is told, and is released', async () => {
    const app = await startV1();
    await holdSome(app, ['h1']);
    expect((await get(`${app.url}/halt`)).body).toMatchObject({ halted: false });
    expect(await post(`${app.url}/halt`, { reason: 'it hurts' })).toMatchObject({
      status: 200,
      body: { recovered: [{ uid: 'h1', recovered: true }] },
    });
    expect((await get(`${app.url}/halt`)).body).toMatchObject({ halted: true, reason: 'it hurts' });
    expect(await post(`${app.url}/injections`, hold())).toMatchObject({
      status: 423,
      body: { error: { code: 'GUARD_HALTED' } },
    });
    expect(await del(`${app.url}/halt`)).toMatchObject({ status: 200, body: { halted: true, reason: 'it hurts' } });
    expect(await del(`${app.url}/halt`)).toMatchObject({ status: 200, body: { halted: false } });
    expect((await post(`${app.url}/injections`, hold())).status).toBe(201);
  });

  test('a halt needs no body, and takes no other', async () => {
    const { url } = await startV1();
    expect((await request('POST', `${url}/halt`)).status).toBe(200);
    for (const body of [{ reson: 'x' }, { reason: 1 }, { reason: '' }, { reason: 'r'.repeat(1_001) }, []]) {
      expect(await post(`${url}/halt`, body)).toMatchObject({
        status: 400,
        body: { error: { code: 'ARGUMENT_INVALID' } },
      });
    }
  });
});

describe('schedules', () => {
  const hourly = (more: object = {}): object => hold({ schedule: '@every 1h', duration: '1s', uid: 'hourly', ...more });

  test('made, told again, listed, shown and ended', async () => {
    const { url } = await startV1();
    const made = await post(`${url}/schedules`, hourly());
    expect(made).toMatchObject({ status: 201, body: { uid: 'hourly', schedule: '@every 1h', runs: 0, endedAt: null } });
    expect(made.headers.get('location')).toBe('/api/v1/schedules/hourly');
    expect(await post(`${url}/schedules`, hourly())).toMatchObject({ status: 200, body: { uid: 'hourly' } });
    expect(await post(`${url}/schedules`, hourly({ schedule: '@every 2h' }))).toMatchObject({
      status: 409,
      body: { error: { code: 'SCHEDULE_EXISTS' } },
    });
    expect((await get(`${url}/schedules?ended=false&limit=1`)).body).toMatchObject({
      items: [{ uid: 'hourly' }],
      total: 1,
      next: null,
    });
    expect((await get(`${url}/schedules?ended=true`)).body).toMatchObject({ items: [] });
    expect((await get(`${url}/schedules/hourly`)).body).toMatchObject({ kind: 'noop', action: 'hold' });
    expect(await del(`${url}/schedules/hourly`)).toMatchObject({ status: 200, body: { ended: true, already: false } });
    expect(await del(`${url}/schedules/hourly`)).toMatchObject({ status: 200, body: { already: true } });
  });

  test('what is no schedule is refused, and an attack takes none', async () => {
    const { url } = await startV1();
    for (const schedule of ['every day', '* * * *', '', 5, undefined]) {
      const { status, body } = await post(`${url}/schedules`, hourly({ schedule }));
      expect(status).toBe(400);
      expect(body).toMatchObject({ error: { code: 'SCHEDULE_INVALID' } });
    }
    expect(await post(`${url}/injections`, hourly())).toMatchObject({
      status: 400,
      body: { error: { code: 'ARGUMENT_INVALID', hint: expect.stringContaining('/api/v1/schedules') } },
    });
    expect(await get(`${url}/schedules/none`)).toMatchObject({
      status: 404,
      body: { error: { code: 'SCHEDULE_NOT_FOUND' } },
    });
  });
});

describe('what there is', () => {
  test('faults tell what they can do, with the schema of the body that asks for it', async () => {
    const { url } = await startV1();
    const { body } = await get(`${url}/faults`);
    const { items } = body as { readonly items: readonly { readonly kind: string; readonly actions: unknown }[] };
    expect(items.map(({ kind }) => kind)).toEqual(['process', 'io', 'kernel', 'noop']);
    const one = await get(`${url}/faults/noop`);
    expect(one.body).toEqual(items.at(-1));
    expect(one.body).toMatchObject({
      actions: [
        {
          action: 'hold',
          examples: [{ command: expect.stringContaining('attack noop hold') }, {}],
          schema: {
            type: 'object',
            additionalProperties: false,
            required: ['kind', 'action'],
            properties: { kind: { const: 'noop' }, name: { type: 'string' }, duration: { type: 'string' } },
          },
        },
      ],
    });
    expect(commandLineWordsIn(items).filter((word) => word !== '$id')).toEqual([]);
    expect(await get(`${url}/faults/fire`)).toMatchObject({ status: 404, body: { error: { code: 'FAULT_UNKNOWN' } } });
  });

  test('the host and the version', async () => {
    const { url } = await startV1();
    const host = await get(`${url}/host`);
    expect(host).toMatchObject({
      status: 200,
      body: {
        parts: [
          { part: 'engine' },
          { part: 'process' },
          { part: 'io' },
          { part: 'kernel' },
          { part: 'noop' },
          { part: 'forensics' },
        ],
      },
    });
    const { body } = await get(`${url}/version`);
    expect(body).toMatchObject({ version: expect.stringMatching(/^\d+\.\d+\.\d+/), node: process.versions.node });
  });

  test('the audit log tells which request it was', async () => {
    const app = await startV1();
    const headers = { 'x-request-id': 'the-one.42' };
    const answer = await post(`${app.url}/injections`, hold({ uid: 'audited' }), headers);
    expect(answer.headers.get('x-request-id')).toBe('the-one.42');
    await del(`${app.url}/injections/audited`);
    const { body } = await get(`${app.url}/audit?limit=2`);
    expect(body).toMatchObject({
      items: [
        { action: 'recover', subject: 'audited', result: 'ok' },
        { action: 'attack', subject: 'audited', actor: { via: 'http', request: 'the-one.42' } },
      ],
    });
    expect((await get(`${app.url}/audit?limit=1`)).body).toMatchObject({ items: [{ action: 'recover' }] });
    expect((await get(`${app.url}/audit?limit=0`)).status).toBe(400);
  });

  test('a request without an ID of its own, or with one that is none, is given one', async () => {
    const { url } = await startV1();
    const given = ['', 'two words', 'ü'.repeat(3), 'x'.repeat(65), '../../etc', '"'];
    for (const id of given.map((one) => encodeURIComponent(one).replaceAll('%', '~'))) {
      const { headers } = await get(`${url}/version`, id === '' ? {} : { 'x-request-id': id });
      expect(headers.get('x-request-id')).toMatch(/^[\w.-]{1,64}$/);
      if (id !== 'x'.repeat(65)) continue;
      expect(headers.get('x-request-id')).not.toBe(id);
    }
  });
});

describe('errors', () => {
  test.each<[string, unknown, number, string]>([
    ['no body', undefined, 400, 'ARGUMENT_INVALID'],
    ['a list', [], 400, 'ARGUMENT_INVALID'],
    ['no action', { kind: 'noop' }, 400, 'ARGUMENT_INVALID'],
    ['an unknown fault', { kind: 'fire', action: 'burn' }, 404, 'FAULT_UNKNOWN'],
    ['a fault of the prototype', { kind: '__proto__', action: 'hold' }, 404, 'FAULT_UNKNOWN'],
    ['an unknown action', { kind: 'process', action: 'freeze', process: 'fl-none' }, 404, 'FAULT_UNKNOWN'],
    ['an action of the prototype', { kind: 'noop', action: 'constructor' }, 404, 'FAULT_UNKNOWN'],
    ['an unknown field', hold({ nam: 'x' }), 400, 'ARGUMENT_INVALID'],
    ['a field of another type', hold({ name: 1 }), 400, 'ARGUMENT_INVALID'],
    ['a nested field', hold({ name: { a: 1 } }), 400, 'ARGUMENT_INVALID'],
    ['a uid that is none', hold({ uid: '../x' }), 400, 'UID_INVALID'],
    ['a huge uid', hold({ uid: 'u'.repeat(129) }), 400, 'UID_INVALID'],
    ['a time that is none', hold({ duration: 'soon' }), 400, 'DURATION_INVALID'],
    ['nobody', { kind: 'process', action: 'stop', process: 'fl-none-there' }, 404, 'PROCESS_NOT_FOUND'],
    ['process 1', { kind: 'process', action: 'stop', process: '1' }, 403, 'GUARD_PROTECTED'],
  ])('%s: nothing is planned and nothing made', async (_what, body, status, code) => {
    const { url } = await startV1();
    for (const path of ['/plans', '/injections']) {
      const answer = await request('POST', `${url}${path}`, body);
      expect(answer).toMatchObject({ status, body: { error: { code, message: expect.any(String) } } });
      expect(answer.headers.get('content-type')).toBe('application/json; charset=utf-8');
      expect(answer.headers.get('cache-control')).toBe('no-store');
    }
    expect((await get(`${url}/injections`)).body).toMatchObject({ total: 0 });
  });

  test.each([
    ['GET', '/injections/none', 404, 'INJECTION_NOT_FOUND'],
    ['DELETE', '/injections/none', 404, 'INJECTION_NOT_FOUND'],
    ['GET', '/injections/%1b%5b2J', 400, 'UID_INVALID'],
    ['GET', '/injections/..%2f..%2fetc', 400, 'UID_INVALID'],
    ['DELETE', `/injections/${'u'.repeat(129)}`, 400, 'UID_INVALID'],
  ])('%s %s: %i %s', async (method, path, status, code) => {
    const { url } = await startV1();
    const answer = await request(method, `${url}${path}`);
    expect(answer).toMatchObject({ status, body: { error: { code } } });
    expect(answer.text).not.toContain('\u001b');
  });

  test('what is no JSON, and what is none by its name', async () => {
    const { url } = await startV1();
    expect(await post(`${url}/plans`, '{"kind":')).toMatchObject({
      status: 400,
      body: { error: { code: 'ARGUMENT_INVALID' } },
    });
    expect(await post(`${url}/plans`, '{"__proto__":{"kind":"noop"}}')).toMatchObject({
      status: 400,
      body: { error: { code: 'ARGUMENT_INVALID' } },
    });
    expect(await post(`${url}/plans`, 'kind=noop', { 'content-type': 'text/plain' })).toMatchObject({
      status: 415,
      body: { error: { code: 'MEDIA_UNSUPPORTED' } },
    });
  });

  test('an unknown path is told with those that are like it, another method with those that it takes', async () => {
    const { url } = await startV1();
    const unknown = await get(`${url}/injectons/x`);
    expect(unknown).toMatchObject({ status: 404, body: { error: { code: 'ROUTE_UNKNOWN' } } });
    expect(unknown.body).toMatchObject({ error: { hint: expect.stringContaining('/api/v1/injections/{uid}') } });
    expect((await get(`${url}/${'x'.repeat(5_000)}`)).status).toBe(404);
    const method = await request('PUT', `${url}/halt`);
    expect(method).toMatchObject({ status: 405, body: { error: { code: 'METHOD_UNKNOWN' } } });
    expect(method.headers.get('allow')).toBe('DELETE, GET, HEAD, POST');
    expect((await request('PATCH', `${url}/injections/x?y=1`)).headers.get('allow')).toBe('DELETE, GET, HEAD');
  });

  test('a bug is told without its stack, which goes into the log', async () => {
    const bug = (): never => {
      throw new TypeError('something is undefined');
    };
    const app = await startV1({ operations: { halted: bug } });
    const answer = await get(`${app.url}/halt`, { 'x-request-id': 'the-bug' });
    expect(answer).toMatchObject({
      status: 500,
      body: { error: { code: 'UNEXPECTED', message: 'something is undefined' } },
    });
    expect(answer.text).not.toMatch(/v1\.test|at .*\.ts/);
    const line = app
      .log()
      .split('\n')
      .find((one) => one.includes('unexpectedly'));
    expect(line).toContain('the-bug');
    expect(line).toContain('v1.test.ts');
  });
});
