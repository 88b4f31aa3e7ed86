import { readFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, test } from 'vitest';
import { cli, finished, tempStateDir } from '../../support/cli.ts';
import { eventually } from '../../support/eventually.ts';
import { get } from '../../support/http-requests.ts';
import { startServer } from '../../support/server.ts';
import { program, start, until } from '../targets/processes.ts';
import { childrenOf, container, hasContainers, type TestContainer } from './container.ts';
import { sources, watching } from './watching.ts';

const command = path.resolve(import.meta.dirname, '../../../dist/faultline.js');

/** Run faultline within a container. */
async function within({ run }: TestContainer, args: readonly string[], stateDir: string) {
  const env = { ...process.env, NODE_OPTIONS: '', FAULTLINE_POLICY: '', FAULTLINE_STATE_DIR: stateDir };
  const { child } = await run([process.execPath, command, ...args], { env, stdio: ['ignore', 'pipe', 'pipe'] });
  return finished(child);
}

/** A sleeper in a container. @returns its PIDs as the host and as the container see it */
async function sleeperWithin({ run }: TestContainer, name: string) {
  const { pid: outer } = await run([program(name), '3600']);
  return until(`${name} runs`, () => {
    const [pid] = childrenOf(outer);
    const status = pid === undefined ? '' : readFileSync(`/proc/${pid}/status`, 'latin1');
    const nsPid = /^NSpid:.*\t(\d+)$/m.exec(status)?.[1];
    return pid !== undefined && status.includes(`Name:\t${name}\n`) ? { pid, nsPid: Number(nsPid) } : undefined;
  });
}

async function titles(args: readonly string[], stateDir: string): Promise<readonly string[]> {
  const ran = await cli(['why', ...args, '-o', 'json'], { stateDir });
  const { causes } = JSON.parse(ran.stdout) as { readonly causes: readonly { readonly title: string }[] };
  return causes.map(({ title }) => title);
}

describe.skipIf(!hasContainers || !sources.includes('bpf'))('deaths of those who live in a PID namespace', () => {
  test('it was us, whether the injection knows them by the number of the host or by their own', async () => {
    const stateDir = tempStateDir();
    const server = await startServer({ stateDir });
    const watch = await watching([], stateDir);
    const inside = await container();
    const [seen, own] = [await sleeperWithin(inside, 'fl-nsa'), await sleeperWithin(inside, 'fl-nsb')];
    const fromHost = await cli(['attack', 'process', 'kill', '-p', String(seen.pid), '--uid', 'from-host'], {
      stateDir,
    });
    expect(fromHost.code, fromHost.stderr).toBe(0);
    const fromInside = await within(
      inside,
      ['attack', 'process', 'kill', '-p', String(own.nsPid), '--uid', 'from-inside'],
      stateDir,
    );
    expect(fromInside.code, fromInside.stderr).toBe(0);
    for (const [{ pid, nsPid }, name, uid] of [
      [seen, 'fl-nsa', 'from-host'],
      [own, 'fl-nsb', 'from-inside'],
    ] as const) {
      expect(await watch.death(pid)).toMatchObject({ pid, nsPid, name, injection: uid });
      const kept = async (): Promise<unknown> => {
        const { body } = await get(`${server.url}/api/v1/deaths?pid=${pid}`);
        return (body as { readonly items: readonly unknown[] }).items[0];
      };
      await eventually('it is kept', async () => (await kept()) !== undefined);
      expect(await kept()).toMatchObject({ injection: uid, nsPid });
      const who = `pid ${pid} (${name}, ${nsPid} in its namespace)`;
      expect((await titles(['--pid', String(pid)], stateDir))[0]).toMatch(
        `it was Faultline: injection ${uid}: ${who} died of SIGKILL, sent by pid `,
      );
      const shown = await cli(['show', uid], { stateDir });
      const deaths = shown.stdout.split('\nDeaths\n')[1] ?? shown.stdout;
      expect(deaths.split('\n')[0]).toMatch(`${who}: died of SIGKILL, sent by pid `);
    }
    // Asked from within, a PID is that of the namespace.
    const asked = await within(inside, ['why', '--pid', String(own.nsPid)], stateDir);
    expect(asked.stdout.replaceAll(/\s+/g, ' ')).toContain(`it was Faultline: injection from-inside: pid ${own.pid} (`);
  });

  test('one who has the same number elsewhere, and dies of something else, was not us', async () => {
    const stateDir = tempStateDir();
    const watch = await watching([], stateDir);
    const inside = await container();
    const one = await sleeperWithin(inside, 'fl-nsc');
    const attack = ['attack', 'process', 'stop', '-p', String(one.nsPid), '--uid', 'stopped'];
    expect((await within(inside, attack, stateDir)).code).toBe(0);
    process.kill(one.pid, 'SIGKILL');
    expect(await watch.death(one.pid)).toMatchObject({ injection: null, sender: { pid: process.pid } });
    const other = await start(program('fl-nsd'), ['3600']);
    other.child.kill('SIGKILL');
    expect(await watch.death(other.pid)).toMatchObject({ injection: null });
    await within(inside, ['recover', 'stopped'], stateDir);
  });
});
