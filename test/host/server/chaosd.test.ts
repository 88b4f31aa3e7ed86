import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, test } from 'vitest';
import { readStat } from '../../../src/linux/procfs/stat.ts';
import { tempFolder, tempStateDir } from '../../support/cli.ts';
import { curl, typed } from '../../support/curl.ts';
import { type Answer, del, get, post, request } from '../../support/http-requests.ts';
import { startServer, type TestServer } from '../../support/server.ts';
import { program, sleeper, start, stateOf, type TestProcess, until } from '../targets/processes.ts';

/*
 * chaosd's answers, as its clients know them. They are written from the contract and not taken from what we answer: a
 * change of one of them breaks somebody's program.
 */
const uuid = '[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}';
const attacked = (uid: string): string => `{"status":200,"message":"attack successfully","uid":"${uid}"}`;
const recovered = (uid: string): string => `{"status":200,"message":"attack recover successfully","uid":"${uid}"}`;

function errorShape(code: string, sentence?: string) {
  const message = `${code}: ${sentence ?? ''}`;
  const told = expect.stringContaining(message) as string;
  return { error: true, message: sentence === undefined ? told : message, code, full_text: told };
}

const invalid = 'error.api.invalid_request';
const notFound = 'error.api.resource_not_found';
const internal = 'error.api.internal_server_error';
const auth = 'error.api.auth';

const serve = (args: readonly string[] = []): Promise<TestServer> => startServer({ stateDir: tempStateDir(), args });

const attackOf = (server: TestServer, body: unknown): Promise<Answer> => post(`${server.url}/api/attack/process`, body);
const deleteOf = (server: TestServer, uid: string): Promise<Answer> => del(`${server.url}/api/attack/${uid}`);

const dies = (target: TestProcess, signal: NodeJS.Signals): Promise<true> =>
  until(`it dies of ${signal}`, () => target.child.signalCode === signal);

/** A shell that writes a line for each SIGTERM, and lives on. */
async function stubborn(): Promise<{ readonly pid: number; readonly count: () => number }> {
  const folder = tempFolder();
  const [ready, log] = [path.join(folder, 'ready'), path.join(folder, 'log')];
  const script = `trap 'echo >> ${log}' TERM; : > ${ready}; while :; do ${program('fl-ch-nap')} 0.02; done`;
  const { pid } = await start('/bin/sh', ['-c', script]);
  await until('the shell is ready', () => existsSync(ready));
  return { pid, count: () => (existsSync(log) ? readFileSync(log, 'utf8').length : 0) };
}

describe('the seed, letter by letter', () => {
  const address = '172.16.112.130:31767';
  const posting = `curl -X POST ${address}/api/attack/process -H "Content-Type:application/json" -d`;
  const here = (command: string, server: TestServer): string =>
    command.replace(address, server.url.replace('http://', ''));

  /** Has somebody got this PID, or may a process that is started now get it? Then its number is not safe to hit. */
  function mayBeTaken(pid: number, newest: number): boolean {
    return readStat(pid) !== undefined || (newest > pid - 10_000 && newest <= pid);
  }

  test('the attack', async () => {
    const command = `${posting} '{"process":"12345","signal":15}'`;
    const server = await serve();
    // Where nobody has that PID it is a name.
    const target = await sleeper('12345');
    const meant = mayBeTaken(12_345, target.pid) ? command.replace('12345', String(target.pid)) : command;
    expect(await typed(here(meant, server))).toMatch(new RegExp(`^${attacked(uuid)}$`));
    await dies(target, 'SIGTERM');
  });

  test('the template, whose body is none yet', async () => {
    const command = `${posting} '{fault-configuration}'`;
    const answer: unknown = JSON.parse(await typed(here(command, await serve())));
    expect(answer).toEqual(errorShape(invalid, 'the body is not valid JSON'));
  });

  test('the uid that it is told to remember ends the experiment', async () => {
    const server = await serve();
    const { pid } = await sleeper('fl-java');
    const body = JSON.stringify({ process: String(pid), signal: 19 });
    const { text } = await curl('-X', 'POST', `${server.url}/api/attack/process`, '--json', body);
    const { uid } = JSON.parse(text) as { uid: string };
    expect(text).toBe(attacked(uid));
    expect(stateOf(pid)).toBe('T');
    expect(await curl('-X', 'DELETE', `${server.url}/api/attack/${uid}`)).toEqual({
      status: 200,
      text: recovered(uid),
    });
    expect(stateOf(pid)).toBe('S');
  });
});

describe('POST /api/attack/process', () => {
  test('signal omitted: 9; as a client in Go sends it, with the zero of every field', async () => {
    const server = await serve();
    const zeros = { schedule: '', duration: '', action: '', kind: 'process', uid: '', signal: 0, PIDs: null };
    for (const extra of [{}, { ...zeros, recoverCmd: '' }, { action: 'kill', signal: null }]) {
      const target = await sleeper('fl-zero');
      const { status, text } = await attackOf(server, { process: String(target.pid), ...extra });
      expect(status, text).toBe(200);
      expect(text).toMatch(new RegExp(`^${attacked(uuid)}$`));
      await dies(target, 'SIGKILL');
    }
  });

  test('action stop sends 19; signal 19 without an action is a stop; both can be undone', async () => {
    const server = await serve();
    for (const [index, body] of [{ action: 'stop' }, { signal: 19 }, { action: 'stop', signal: 'STOP' }].entries()) {
      const { pid } = await sleeper('fl-stop');
      const uid = `stop-${index}`;
      expect((await attackOf(server, { process: String(pid), uid, ...body })).text).toBe(attacked(uid));
      expect(stateOf(pid)).toBe('T');
      expect((await deleteOf(server, uid)).text).toBe(recovered(uid));
      expect(stateOf(pid)).toBe('S');
    }
  });

  test('names of fields in any case, numbers as text', async () => {
    const server = await serve();
    const target = await sleeper('fl-case');
    const { status } = await attackOf(server, { Process: String(target.pid), Signal: '15', UID: 'case' });
    expect(status).toBe(200);
    await dies(target, 'SIGTERM');
  });

  test('a duration where nothing is left to undo is passed over', async () => {
    const server = await serve();
    const target = await sleeper('fl-brief');
    const { text } = await attackOf(server, { process: String(target.pid), duration: '30s', uid: 'brief' });
    expect(text).toBe(attacked('brief'));
    await dies(target, 'SIGKILL');
  });

  test('what did not do what was asked is told after the fields of chaosd', async () => {
    const server = await serve();
    const { pid } = await stubborn();
    const { status, text, body } = await attackOf(server, {
      process: String(pid),
      signal: 15,
      // So long that it has a processor meanwhile.
      wait: '2s',
      uid: 'm',
    });
    expect(status).toBe(200);
    expect(text.startsWith(attacked('m').slice(0, -1))).toBe(true);
    expect(body).toEqual({
      status: 200,
      message: 'attack successfully',
      uid: 'm',
      verdict: 'mismatch',
      reason: expect.stringContaining('handled SIGTERM and lives on') as string,
    });
  });

  test('the same uid again, while it is under way and when it is over: one attack, one answer', async () => {
    const server = await serve();
    const target = await stubborn();
    // The first answer takes longer than Chaos Mesh waits before it asks again.
    const body = { process: String(target.pid), signal: 15, wait: '5500ms', uid: 'again' };
    const [first, meanwhile] = await Promise.all([attackOf(server, body), attackOf(server, body)]);
    const after = await attackOf(server, body);
    expect(first).toMatchObject({ status: 200, body: { uid: 'again', verdict: 'mismatch' } });
    expect([meanwhile.text, after.text]).toEqual([first.text, first.text]);
    expect(target.count()).toBe(1);
    const rows = await get(`${server.url}/api/experiments/`);
    expect(rows.body).toHaveLength(1);
    const other = await attackOf(server, { ...body, signal: 9 });
    expect(other).toMatchObject({ status: 400, body: { error: true, code: invalid } });
    expect(readStat(target.pid)).toBeDefined();
  });

  test('a name that nobody has: the 500 that chaosd answers', async () => {
    const { status, body } = await attackOf(await serve(), { process: 'fl-nobody' });
    expect(status).toBe(500);
    expect(body).toEqual(errorShape(internal, 'process fl-nobody not found'));
  });

  test('a recover command is refused, however it is spelt, and nothing is touched', async () => {
    const server = await serve();
    const { pid } = await sleeper('fl-kept');
    for (const name of ['recoverCmd', 'recover-cmd', 'RecoverCmd', 'recovercmd']) {
      const { status, body } = await attackOf(server, { process: String(pid), [name]: 'true' });
      expect(status).toBe(403);
      expect(body).toMatchObject({ error: true, code: auth });
      expect((body as { full_text: string }).full_text).toContain('--allow-recover-cmd');
    }
    expect(stateOf(pid)).toBe('S');
    expect((await get(`${server.url}/api/experiments/`)).text).toBe('[]');
  });

  test('with --allow-recover-cmd it is run by DELETE, and never told', async () => {
    const server = await serve(['--allow-recover-cmd']);
    const target = await sleeper('fl-repair');
    const file = path.join(tempFolder(), 'repaired');
    const { text } = await attackOf(server, {
      process: String(target.pid),
      'recover-cmd': `: > ${file}`,
      uid: 'repair',
    });
    expect(text).toBe(attacked('repair'));
    await dies(target, 'SIGKILL');
    const rows = await get(`${server.url}/api/experiments/`);
    expect(rows.text).toContain('(given)');
    expect(rows.text).not.toContain(file);
    expect((await deleteOf(server, 'repair')).text).toBe(recovered('repair'));
    expect(existsSync(file)).toBe(true);
  });
});

describe('what is refused', () => {
  const refused: readonly (readonly [what: string, body: unknown, status: number])[] = [
    ['no JSON', '{', 400],
    ['nothing', '', 400],
    ['a list', [], 400],
    ['a text', '"x"', 400],
    ['no process', {}, 400],
    ['an empty process', { process: '' }, 400],
    ['a number for a name', { process: 1 }, 400],
    ['an unknown field', { process: 'fl-none', sgnal: 9 }, 400],
    ['a nested field', { process: 'fl-none', mode: { a: [] } }, 400],
    ['a field twice', { process: 'fl-none', Process: 'fl-none' }, 400],
    ['an unknown signal', { process: 'fl-none', signal: 65 }, 400],
    ['a negative signal', { process: 'fl-none', signal: -9 }, 400],
    ['an unknown action', { process: 'fl-none', action: 'freeze' }, 400],
    ['stop with another signal', { process: 'fl-none', action: 'stop', signal: 9 }, 400],
    ['another kind', { process: 'fl-none', kind: 'network' }, 400],
    ['PIDs', { process: 'fl-none', PIDs: [1] }, 400],
    ['a duration that is none', { process: 'fl-none', signal: 19, duration: 'soon' }, 400],
    ['a schedule that is none', { process: 'fl-none', schedule: 'often', duration: '1s' }, 400],
    ['a uid with control characters', { process: 'fl-none', uid: 'a\nb' }, 400],
    ['a huge uid', { process: 'fl-none', uid: 'x'.repeat(10_000) }, 400],
    ['too much', { process: 'x'.repeat(2_000_000) }, 413],
  ];

  test('bodies that cannot be meant, and nothing is touched', async () => {
    const { url } = await serve();
    for (const [what, body, expected] of refused) {
      const headers = { 'content-type': 'application/json' };
      const { status, body: answer } = await request('POST', `${url}/api/attack/process`, body, headers);
      expect({ status, answer }, what).toEqual({ status: expected, answer: errorShape(invalid) });
    }
    expect((await get(`${url}/api/experiments/`)).text).toBe('[]');
  });

  test('another type of content', async () => {
    const server = await serve();
    const { status, text } = await curl('-X', 'POST', `${server.url}/api/attack/process`, '-d', '{"process":"x"}');
    expect(status).toBe(415);
    expect(JSON.parse(text)).toEqual(errorShape(invalid, 'the body is not JSON'));
  });

  test('kinds of chaosd that are not here, and paths that are nowhere', async () => {
    const { url } = await serve();
    for (const kind of ['stress', 'network', 'disk', 'clock', 'jvm', 'file', 'host', 'vm', 'kafka', 'redis']) {
      const { status, body } = await post(`${url}/api/attack/${kind}`, { action: 'x' });
      expect({ status, body }).toEqual({ status: 404, body: errorShape(notFound, `there is no attack "${kind}"`) });
      expect((body as { full_text: string }).full_text).toContain('process');
    }
    for (const answer of [await get(`${url}/api/attack/process`), await get(`${url}/api/nowhere`)]) {
      expect(answer).toMatchObject({ status: 404, body: { error: true, code: notFound } });
    }
  });
});

describe('DELETE /api/attack/{uid}', () => {
  test('unknown: 404', async () => {
    const server = await serve();
    const { status, body } = await deleteOf(server, 'nobody');
    expect({ status, body }).toEqual({ status: 404, body: errorShape(notFound, 'there is no injection nobody') });
    expect((await deleteOf(server, 'x'.repeat(5_000))).status).toBeGreaterThanOrEqual(400);
    expect((await deleteOf(server, 'x'.repeat(5_000))).status).toBeLessThan(500);
  });

  test('recovered before: 200 again; as Chaos Mesh sends it, with a type of content and no content', async () => {
    const server = await serve();
    const { pid } = await sleeper('fl-twice');
    await attackOf(server, { process: String(pid), signal: 19, uid: 'twice' });
    const url = `${server.url}/api/attack/twice`;
    for (const args of [['-H', 'Content-Type: application/json'], ['-d', ''], []]) {
      expect(await curl('-X', 'DELETE', url, ...args)).toEqual({ status: 200, text: recovered('twice') });
    }
    expect(stateOf(pid)).toBe('S');
  });

  test('killed: 200, and the truth after the fields of chaosd', async () => {
    const server = await serve();
    const target = await sleeper('fl-gone');
    await attackOf(server, { process: String(target.pid), uid: 'gone' });
    await dies(target, 'SIGKILL');
    for (let time = 0; time < 2; time++) {
      const { status, text, body } = await deleteOf(server, 'gone');
      expect(status).toBe(200);
      expect(text.startsWith(recovered('gone').slice(0, -1))).toBe(true);
      expect(body).toMatchObject({ recovered: false, reason: expect.stringContaining('cannot be undone') as string });
    }
  });
});
