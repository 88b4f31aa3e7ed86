import { chmodSync, existsSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, test } from 'vitest';
import {
  type Ran,
  type RunOptions,
  cli,
  finished,
  show,
  startCli,
  tempFolder,
  tempStateDir,
} from '../../support/cli.ts';
import { startServer, type TestServer } from '../../support/server.ts';
import { sleeper, stateOf, until } from '../targets/processes.ts';

/** A service, and how to act through it: with a state folder that must not come to be. */
async function service(
  args: readonly string[] = [],
): Promise<{ readonly server: TestServer; readonly there: RunOptions }> {
  const server = await startServer({ stateDir: tempStateDir(), args });
  return { server, there: { stateDir: path.join(tempFolder(), 'never'), env: { FAULTLINE_SERVER: server.url } } };
}

/** What differs from run to run, or tells through which door it came. */
function timeless(text: string): string {
  return (
    text
      .replaceAll(/\d{4}-\d\d-\d\dT[\d:.]+Z/g, 'TIME')
      .replaceAll(/"?(?:by|actor)"?:\s*\{[^}]*\}/gi, 'SOMEBODY')
      .replaceAll(/[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f-]{22}/g, 'UUID')
      .replaceAll(/"seed": "[0-9a-f]+"/g, 'SEED')
      .replaceAll(/\d+(?:\.\d+)? (?:µs|ms|s)\b/g, 'LONG')
      .replaceAll(/"(\w*Ms|at)": [\d.]+/g, '"$1": N')
      .replaceAll(/\d+\.\d+|\d{2,}/g, 'N')
      .replaceAll(/\((?:cli|http)\)/g, '(DOOR)')
      .replaceAll(/ok +journal .*/g, 'JOURNAL')
      // It may still be waiting for a processor.
      .replaceAll(/(state"?:? "?)R\b/g, '$1S')
      // Columns are as wide as what stands in them.
      .replaceAll(/[ -]{2,}/g, ' ')
  );
}

function seen({ code, stdout, stderr }: Ran) {
  return { code, stdout: timeless(stdout), stderr: timeless(stderr) };
}

/** The life of two injections, with what goes wrong on the way. */
const life: readonly (readonly string[])[] = [
  ['search'],
  ['attack', 'process', 'stop', '-p', 'fl-rem', '--dry-run'],
  ['attack', 'process', 'stop', '-p', 'fl-rem', '--dry-run', '-o', 'json'],
  ['attack', 'process', 'stop', '-p', 'fl-rem', '--wait', '60s', '--uid', 'first'],
  ['attack', 'process', 'stop', '-p', 'fl-rem', '--wait', '60s', '--uid', 'first'],
  ['attack', 'process', 'stop', '-p', 'fl-rem', '--uid', 'second'],
  ['attack', 'process', 'stop', '-p', 'fl-rem', '--uid', 'second', '-o', 'json'],
  ['show', 'first'],
  ['search', 'first'],
  ['search', '--status', 'success', '-o', 'json'],
  ['recover', 'first'],
  ['recover', 'first'],
  ['recover', 'first', '-o', 'json'],
  ['recover', 'nothing'],
  ['recover', '../halt'],
  ['show', 'nothing'],
  ['search', 'nothing'],
  ['attack', 'noop', 'hold', '--uid', 'third', '-o', 'json'],
  ['halt', '--reason', 'enough'],
  ['halt', '--status'],
  ['attack', 'noop', 'hold'],
  ['halt', '--release'],
  ['halt', '--release', '-o', 'json'],
  ['attack', 'process', 'kill', '-p', 'fl-rem', '-s', 'NOPE'],
  ['attack', 'process', 'kill', '-p', '1'],
  ['attack', 'process', 'kill', '-p', 'fl-rem', '--max-targets', '0'],
  ['attack', 'process', 'kill', '-p', 'fl-rem', '--wait', '60s', '--uid', 'fourth'],
  ['attack', 'process', 'kill', '-p', 'fl-rem'],
  ['recover', 'fourth'],
  ['recover', 'fourth', 'nothing'],
  ['recover', '--all'],
  ['search', '--asc', '--limit', '2'],
  ['search', '-o', 'json'],
  ['doctor'],
  ['audit', '--limit', '3'],
  ['doctor', '-o', 'xml'],
];

async function lived(options: RunOptions) {
  const target = await sleeper('fl-rem');
  const all = [];
  for (const args of life) all.push({ args, ...seen(await cli(args, options)) });
  await until('it is dead', () => target.child.signalCode !== null);
  return all;
}

describe('through a service', () => {
  test('commands print the same, and end the same', { timeout: 600_000 }, async () => {
    const { there } = await service();
    const here: RunOptions = { stateDir: tempStateDir() };
    const remotely = await lived(there);
    expect(remotely).toEqual(await lived(here));
    const codes = remotely.map(({ code }) => code);
    expect(new Set(codes)).toEqual(new Set([0, 1, 128]));
    expect(existsSync(there.stateDir ?? ''), 'a state folder on this side').toBe(false);
  });

  test('an attack is the service’s own: it lasts, and its journal has it', async () => {
    const { server, there } = await service();
    const target = await sleeper('fl-rem');
    const ran = await cli(['attack', 'process', 'stop', '-p', String(target.pid), '--uid', 'one'], there);
    expect(ran).toMatchObject({ code: 0, stdout: `Attack process ${target.pid} successfully, uid: one\n` });
    expect(stateOf(target.pid)).toBe('T');
    expect((await show('one', { stateDir: server.stateDir })).state).toBe('injected');
    expect(await cli(['recover', 'one'], there)).toMatchObject({ code: 0, stdout: 'Recover one successfully\n' });
    expect(stateOf(target.pid)).toBe('S');
  });

  test('the flag goes before the environment, and an empty one acts here', async () => {
    const { server } = await service();
    const wrong = { stateDir: tempStateDir(), env: { FAULTLINE_SERVER: 'http://127.0.0.1:1' } };
    expect(await cli(['search', '--server', server.url], wrong)).toMatchObject({ code: 0 });
    expect(existsSync(wrong.stateDir)).toBe(false);
    expect((await cli(['search'], wrong)).stderr).toContain('[SERVER_UNREACHABLE]');
    expect(await cli(['attack', 'noop', 'hold', '--server', ''], wrong)).toMatchObject({ code: 0 });
    expect(existsSync(wrong.stateDir)).toBe(true);
    expect((await cli(['search', '--server', server.url])).stdout).not.toContain('noop');
    await cli(['recover', '--all', '--server', ''], wrong);
  });

  test('flags that contradict each other are refused', async () => {
    const both = await cli(['search', '--server', 'http://127.0.0.1:1', '--state-dir', tempStateDir()]);
    expect(both).toMatchObject({ code: 128, stderr: expect.stringContaining('[ARGUMENT_INVALID]') });
    const stray = await cli(['search', '--token-file', '/nowhere'], { stateDir: tempStateDir() });
    expect(stray).toMatchObject({ code: 128, stderr: expect.stringContaining('[ARGUMENT_INVALID]') });
  });

  test('chaosd’s name knows it, too', async () => {
    const { there } = await service();
    const ran = await cli(['attack', 'noop', 'hold', '--uid', 'one'], { ...there, program: 'chaosd' });
    expect(ran.stdout).toMatch(/^Attack noop \S+ successfully, uid: one\n$/);
  });
});

describe('who waits in vain', () => {
  test('is told so when the service is gone', async () => {
    const { server, there } = await service();
    await server.end('SIGKILL');
    const ran = await cli(['attack', 'noop', 'hold'], there);
    expect(ran.code).toBe(1);
    expect(ran.stderr).toContain(server.url);
    expect(ran.stderr).toMatch(/refused \[SERVER_UNREACHABLE\]\nHint: /);
  });

  test('may leave: the service goes on, and it is said how to look', async () => {
    const { server, there } = await service();
    const target = await sleeper('fl-rem');
    // It dies at once; who comes back in its place is waited for.
    const attack = ['attack', 'process', 'kill', '-p', String(target.pid), '--observe', '10m', '--uid', 'long'];
    const child = startCli(attack, there);
    const ending = finished(child);
    await until('it is dead', () => target.child.signalCode !== null);
    child.kill('SIGINT');
    const ran = await ending;
    expect(ran.code).toBe(130);
    expect(ran.stdout).toBe('');
    expect(ran.stderr).toContain(`the service at ${server.url} goes on with it [INTERRUPTED]`);
    expect(ran.stderr).toContain(`faultline show long --server ${server.url}`);
    const shown = await cli(['show', 'long', '-o', 'json'], there);
    expect(JSON.parse(shown.stdout)).toMatchObject({ uid: 'long', state: 'injecting', error: null });
  });
});

describe('a service that asks for a token', () => {
  const token = 'a-token-that-is-long-enough-1234567890';
  const reading = 'another-token-that-only-reads-0987654321';

  function tokenFile(text: string, mode = 0o600): string {
    const file = path.join(tempFolder(), 'token');
    writeFileSync(file, `${text}\n`);
    chmodSync(file, mode);
    return file;
  }

  test('lets in who has it, from a file or the environment', async () => {
    const { there } = await service(['--token-file', tokenFile(token)]);
    const good = tokenFile(token);
    expect(await cli(['search', '--token-file', good], there)).toMatchObject({ code: 0 });
    for (const env of [{ FAULTLINE_TOKEN: token }, { FAULTLINE_TOKEN_FILE: good }]) {
      expect(await cli(['search'], { ...there, env: { ...there.env, ...env } })).toMatchObject({ code: 0 });
    }
    const audit = await cli(['audit', '--token-file', good], there);
    expect(audit).toMatchObject({ code: 0, stderr: '' });
    for (const flags of [[], ['--token-file', tokenFile('wrong-token-wrong-token-wrong')]]) {
      const ran = await cli(['attack', 'noop', 'hold', ...flags], there);
      expect(ran).toMatchObject({ code: 1, stderr: expect.stringContaining('[UNAUTHENTICATED]') });
    }
  });

  test('lets those who may read do no more', async () => {
    const { there } = await service(['--token-file', tokenFile(token), '--read-token-file', tokenFile(reading)]);
    const env = { ...there.env, FAULTLINE_TOKEN: reading };
    expect(await cli(['search'], { ...there, env })).toMatchObject({ code: 0 });
    const ran = await cli(['attack', 'noop', 'hold'], { ...there, env });
    expect(ran).toMatchObject({ code: 1, stderr: expect.stringContaining('[FORBIDDEN]') });
  });

  test('is never sent a file that others can read', async () => {
    const { server, there } = await service(['--token-file', tokenFile(token)]);
    const ran = await cli(['search', '--token-file', tokenFile(token, 0o644)], there);
    expect(ran).toMatchObject({ code: 128, stderr: expect.stringContaining('[SERVER_UNSAFE]') });
    expect(server.log()).not.toContain(token);
  });
});
