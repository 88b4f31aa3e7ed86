import { afterEach, beforeEach, expect, test } from 'vitest';
import { FaultlineError } from '../base/error.ts';
import { processName, setProcessName } from '../linux/prctl.ts';
import { attack } from './attack.ts';
import type { EngineContext } from './context.ts';
import { currentRecord } from './injection.ts';
import { keep } from './keeper.ts';
import { parseAttack } from './request.ts';
import { contextOfEachTest } from './test-support/context.ts';
import type { Timeline } from './timeline.ts';

const engineOfTest = contextOfEachTest();
let context: EngineContext;

beforeEach(async () => {
  context = engineOfTest();
  await attack(context, await parseAttack('noop', 'hold', { uid: 'held' }, {}));
});

const name = processName();

afterEach(() => {
  setProcessName(name); // a keeper takes its own
});

function fail(error: unknown): never {
  throw error;
}

test('told to end while the journal cannot be written, it undoes what is live all the same', async () => {
  let offices = 0;
  const write: Timeline['write'] = (step, body) => {
    // It takes office, and cannot write down that it leaves.
    if (step === 'keeper' && ++offices > 1) return Promise.reject(new FaultlineError('STATE_DISK_FULL', 'disk full'));
    return context.timeline.write(step, body);
  };
  const told = AbortSignal.abort();
  await keep({ ...context, timeline: { ...context.timeline, write }, interrupted: told }, fail);
  expect(offices).toBe(2);
  expect(currentRecord(context, { uid: 'held' }).state).toBe('recovered');
});

test('a look that fails is told of, and the keeper goes on', async () => {
  let looks = 0;
  const all: EngineContext['store']['all'] = (sql, parameters) => {
    if (++looks === 1) throw new FaultlineError('STATE_UNWRITABLE', 'out of reach for a moment');
    return context.store.all(sql, parameters);
  };
  const told: unknown[] = [];
  // There is no lease: after a look that succeeds it leaves.
  await keep({ ...context, store: { ...context.store, all } }, (error) => told.push(error));
  expect(told).toMatchObject([{ message: 'out of reach for a moment' }]);
  expect(looks).toBeGreaterThan(1);
});
