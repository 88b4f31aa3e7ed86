import { once } from 'node:events';
import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, expect, test } from 'vitest';
import { tempStateDir } from '../../support/cli.ts';
import { sleeper } from '../targets/processes.ts';
import { answers, expectNothingLeft, experimentFile, runOf } from './lab.ts';

/** How long each request is under way, in ms. */
const workMs = 2_000;
/** Who was asked so long ago when the target dies, was asked before the method began. */
const longAgoMs = 1_200;

const closing: (() => void)[] = [];
afterEach(() => {
  for (const close of closing.splice(0)) close();
});

/** A server that takes its time, and can lose those of its requests that have waited for long already. */
async function slowServer(): Promise<{ readonly url: string; readonly loseOld: () => number }> {
  const underWay = new Map<ServerResponse, number>();
  const server = createServer((_request, response) => {
    underWay.set(response, performance.now());
    response.on('close', () => underWay.delete(response));
    setTimeout(() => response.end('well'), workMs);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  closing.push(() => {
    server.closeAllConnections();
    server.close();
  });
  function loseOld(): number {
    const old = [...underWay].filter(([, sinceMs]) => performance.now() - sinceMs >= longAgoMs);
    for (const [response] of old) response.destroy();
    return old.length;
  }
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/`, loseOld };
}

test('requests that are under way when the method begins belong to it', { timeout: 240_000 }, async () => {
  const stateDir = tempStateDir();
  const { url, loseOld } = await slowServer();
  const target = await sleeper('fl-in-flight');
  const lost = once(target.child, 'exit').then(loseOld);
  const file = experimentFile({
    probes: { answers: answers(url, { success: '100%' }) },
    method: [{ attack: 'process kill', name: 'kill it', with: { process: String(target.pid), signal: 'KILL' } }],
  });
  const { ran, run } = await runOf(file, stateDir);
  expect(await lost).toBeGreaterThan(0);
  expect(run.verdict, ran.stderr).toBe('deviated');
  expect(run.reason).toMatch(/^answers: success was/);
  const judged = run.probes[0]?.judgements.map(({ phase, held }) => [phase, held]);
  expect(judged).toEqual(
    expect.arrayContaining([
      ['before', true],
      ['method', false],
    ]),
  );
  expectNothingLeft(stateDir);
});
