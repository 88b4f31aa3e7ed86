import { beforeEach, describe, expect, test } from 'vitest';
import { attack } from './attack.ts';
import type { EngineContext } from './context.ts';
import { currentRecord } from './injection.ts';
import { parseAttack } from './request.ts';
import { repair, supervise } from './supervise.ts';
import { contextOfEachTest } from './test-support/context.ts';

const engineOfTest = contextOfEachTest();
let context: EngineContext;

beforeEach(() => {
  context = engineOfTest();
});

/** A process that is long gone. */
const gone = { pid: 1, startTimeTicks: 1, bootId: 'another' };

describe('repair', () => {
  test('old news is no reason: what has been injected meanwhile stays', async () => {
    const { record } = await attack(context, await parseAttack('noop', 'hold', { uid: 'busy' }, {}));
    expect(record.state).toBe('injected');
    // What another command saw a moment ago: its owner was at work then, and has finished and gone since.
    const seenBefore = { ...record, state: 'injecting' as const, injectedBootMs: null, owner: gone };
    expect(await repair(context, seenBefore, 'its command seems to be gone')).toBeUndefined();
    expect(currentRecord(context, record).state).toBe('injected');
    expect(await supervise(context)).toEqual([]);
  });

  test('what was left behind is undone, and written down', async () => {
    const { record } = await attack(context, await parseAttack('noop', 'hold', { uid: 'left' }, {}));
    await context.store.write(() => {
      context.store.run("UPDATE injection SET state = 'injecting', injected_boot_ms = NULL, owner = $owner", {
        owner: JSON.stringify(gone),
      });
    });
    expect(await supervise(context)).toMatchObject([{ uid: 'left', outcome: { already: false } }]);
    expect(currentRecord(context, record)).toMatchObject({ state: 'recovered', error: { code: 'INJECTION_FAILED' } });
    expect(await supervise(context)).toEqual([]);
  });

  test('an injection from before a reboot has nothing left to undo, and that is said', async () => {
    const { record } = await attack(context, await parseAttack('noop', 'hold', { uid: 'reboot' }, {}));
    await context.store.write(() => context.store.run("UPDATE injection SET boot_id = 'an earlier boot'"));
    expect(await supervise(context)).toMatchObject([{ uid: 'reboot', reason: 'the host was rebooted since' }]);
    expect(currentRecord(context, record).state).toBe('recovered');
  });

  test('one of another PID namespace is left alone, and cannot be recovered from here', async () => {
    const { record } = await attack(context, await parseAttack('noop', 'hold', { uid: 'elsewhere' }, {}));
    await context.store.write(() => context.store.run('UPDATE injection SET pid_namespace = 1, lease_end_boot_ms = 1'));
    expect(await supervise(context)).toEqual([]);
    expect(await repair(context, currentRecord(context, record), 'asked')).toBeUndefined();
    expect(currentRecord(context, record).state).toBe('injected');
  });
});
