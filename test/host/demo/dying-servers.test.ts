import { once } from 'node:events';
import { request } from 'node:http';
import path from 'node:path';
import { describe, expect, test } from 'vitest';
import { root } from '../../../scripts/lib/tree.ts';
import { cli, tempStateDir } from '../../support/cli.ts';
import { eventually } from '../../support/eventually.ts';
import { canLimitMemory, memoryCgroup } from '../forensics/memory-cgroup.ts';
import { sources, watching } from '../forensics/watching.ts';
import { start, type TestProcess } from '../targets/processes.ts';

/*
 * The servers of examples/fizzbuzz that die by themselves, and that their deaths are told as docs/lessons/fizzbuzz.md
 * says.
 */

interface Server extends TestProcess {
  /** @returns the status; undefined: it hung up */
  ask(number: number): Promise<number | undefined>;
  /** How it has ended. */
  readonly ended: Promise<readonly [code: number | null, signal: NodeJS.Signals | null]>;
}

async function asked(port: number, number: number): Promise<number | undefined> {
  const asking = request({ host: '127.0.0.1', port, path: `/api/v1/fizzbuzz?number=${number}`, agent: false });
  asking.end();
  try {
    const [answer] = (await once(asking, 'response')) as [import('node:http').IncomingMessage];
    answer.resume();
    return answer.statusCode;
  } catch {
    return undefined;
  }
}

/** @param cgroup the folder of a cgroup that it runs in */
async function serverOf(file: string, cgroup?: string): Promise<Server> {
  const program = [process.execPath, path.join(root, 'examples/fizzbuzz', file), '0'];
  const enter = 'test -z "$1" || echo $$ > "$1/cgroup.procs"; shift; exec "$@"';
  const process_ = await start('/bin/sh', ['-c', enter, 'sh', cgroup ?? '', ...program], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const ended = once(process_.child, 'exit') as Promise<[number | null, NodeJS.Signals | null]>;
  let told = '';
  process_.child.stdout?.on('data', (piece: Buffer) => (told += piece.toString()));
  const port = (): string | undefined => /port (\d+), process/u.exec(told)?.[1];
  await eventually('the server is up', () => port() !== undefined);
  return { ...process_, ended, ask: (number) => asked(Number(port()), number) };
}

test('one divides by zero when it is asked to, and dies of SIGFPE', async () => {
  const server = await serverOf('dies-of-sigfpe.mjs');
  expect(await server.ask(15)).toBe(200);
  expect(await server.ask(0)).toBeUndefined();
  expect(await server.ended).toEqual([null, 'SIGFPE']);
  const why = await cli(['why', '136'], { stateDir: tempStateDir() });
  expect(why.stdout).toContain('exit code 136 = 128 + 8: ended by signal 8, SIGFPE');
});

test.skipIf(!sources.includes('bpf'))('watch tells that it was itself that sent it (skipped without bpf)', async () => {
  const server = await serverOf('dies-of-sigfpe.mjs');
  const watch = await watching(['--pid', String(server.pid)]);
  expect(await server.ask(0)).toBeUndefined();
  expect(await watch.death(server.pid)).toMatchObject({
    name: 'fizzbuzz-api',
    end: { kind: 'signaled', signal: 8 },
    sender: { pid: server.pid },
  });
});

describe.skipIf(!canLimitMemory)('one that leaks, in a cgroup with a limit', () => {
  test('grows until the OOM killer comes, and why tells so', { timeout: 180_000 }, async () => {
    const server = await serverOf('grows.mjs', memoryCgroup(150 << 20));
    // A megabyte each: one that does not leak answers all of them.
    const most = 1_000;
    let answered = 0;
    while (answered < most && (await server.ask(answered)) !== undefined) answered++;
    expect(answered).toBeLessThan(most);
    expect(await server.ended).toEqual([null, 'SIGKILL']);
    const why = await cli(['why', String(server.pid), '-o', 'json'], { stateDir: tempStateDir() });
    const { causes } = JSON.parse(why.stdout) as { readonly causes: readonly { readonly id: string }[] };
    expect(causes.map(({ id }) => id)).toContain('oom-killer');
  });
});
