import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fastify } from 'fastify';
import { expect, onTestFinished, test } from 'vitest';
import { type Engine, openEngine } from '../experiment/engine.ts';
import { parseAttack } from '../experiment/request.ts';
import { deathRecorder } from './deaths/recorder.ts';
import type { ServerOptions } from './options.ts';
import { serviceOver } from './service.ts';
import { workUnderWay } from './work.ts';

function engineOfTest(): Engine {
  const folder = mkdtempSync(path.join(tmpdir(), 'faultline-service-'));
  const engine = openEngine({
    stateDir: path.join(folder, 'state'),
    via: 'test',
    program: [],
    interrupted: new AbortController().signal,
    observe: () => undefined,
  });
  onTestFinished(() => {
    engine.close();
    rmSync(folder, { recursive: true, force: true });
  });
  return engine;
}

/** The operations of a service whose attacks are all still being planned, until they are let go on. */
function serviceOfTest(maxConcurrency: number) {
  let goOn = (): void => undefined;
  const planned = new Promise<void>((resolve) => {
    goOn = resolve;
  });
  const engine = engineOfTest();
  const planning: Engine = {
    ...engine,
    actingAs: (actor) => {
      const acting = engine.actingAs(actor);
      const attackOnce: Engine['attackOnce'] = async (request) => {
        await planned;
        return acting.attackOnce(request);
      };
      return { ...acting, attackOnce };
    },
  };
  const { log } = fastify();
  const options = { maxConcurrency } as ServerOptions; // all that is asked for
  const deaths = deathRecorder(engine, log); // never begun
  const service = serviceOver({ engine: planning, options, log, work: workUnderWay(), deaths });
  return { engine, goOn, operations: service.operationsFor({ role: 'attack', actor: {} }) };
}

test('what is undone before it began does not begin, be it planned or waiting for its turn', async () => {
  const { engine, goOn, operations } = serviceOfTest(1);
  const requests = await Promise.all(['first', 'second'].map((uid) => parseAttack('noop', 'hold', { uid }, {})));
  const attacks = Promise.allSettled(requests.map((request) => operations.attack(request)));
  for (const { uid } of requests) {
    await expect(operations.recover(uid, false)).rejects.toMatchObject({ code: 'INJECTION_NOT_FOUND' });
  }
  goOn();
  const cancelled = { status: 'rejected', reason: { code: 'INJECTION_CANCELLED' } };
  expect(await attacks).toMatchObject([cancelled, cancelled]);
  expect(engine.list({})).toEqual([]);
});

test('only what was asked for before is taken back', async () => {
  const { engine, goOn, operations } = serviceOfTest(2);
  const [one, other] = await Promise.all(
    ['one', 'other'].map((uid) => parseAttack('noop', 'hold', { uid }, { name: uid })),
  );
  if (one === undefined || other === undefined) throw new Error('two were asked for');
  const before = Promise.allSettled([operations.attack(one), operations.attack(other)]);
  await expect(operations.recover('one', false)).rejects.toMatchObject({ code: 'INJECTION_NOT_FOUND' });
  const again = operations.attack(one);
  goOn();
  expect(await before).toMatchObject([{ status: 'rejected' }, { status: 'fulfilled' }]);
  expect(await again).toMatchObject({ uid: 'one', state: 'injected' });
  expect(engine.list({}).map(({ uid }) => uid)).toEqual(expect.arrayContaining(['one', 'other']));
});
