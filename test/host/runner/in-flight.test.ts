import { once } from 'node:events';
import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, expect, test } from 'vitest';
import { tempStateDir } from '../../support/cli.ts';
import { sleeper } from '../targets/processes.ts';
import { answers, expectNothingLeft, experimentFile, runOf } from './lab.ts';

/** How many requests are under way at once: at 50 a second, each of them takes 2 s. */
const mostUnderWay = 100;
/** So many of these, the first ones, were asked before the method began when the target dies. */
const askedBefore = 40;

const closing: (() => void)[] = [];
afterEach(() => {
  for (const close of closing.splice(0)) close();
});

/**
 * A server that answers a request when enough others have come after it, and can lose those that have waited for long
 * already. It counts, and looks at no clock: when a machine has stood still, timers are due all at once.
 */
async function slowServer(): Promise<{ readonly url: string; readonly loseOld: () => number }> {
  const underWay: ServerResponse[] = [];
  const server = createServer((_request, response) => {
    underWay.push(response);
    if (underWay.length > mostUnderWay) underWay.shift()?.end('well');
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  closing.push(() => {
    server.closeAllConnections();
    server.close();
  });
  function loseOld(): number {
    const old = underWay.splice(0, askedBefore);
    for (const response of old) response.destroy();
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
