import { closeSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { uncover } from '../../../src/faults/io/daemon/withdraw.ts';
import { until } from '../targets/processes.ts';
import { cannotInject, kill, mountsSeenHere, nothingLeft, ours, processesOf } from './lab.ts';
import { fault, stage } from './survival.ts';

describe.skipIf(cannotInject !== undefined)('the numbers of a mount whose daemon is dead', () => {
  test('are nobody else’s while it is held, though it stands nowhere and nobody uses it', async () => {
    const { one, target } = await stage();
    const uid = await one.inject(fault);
    const [mount] = mountsSeenHere(one.volume);
    kill(await ours(one, 'keeper'));
    kill(await ours(one, 'io-daemon'));
    await until('both are dead', () => processesOf(one).length === 0);

    const { held } = await uncover(mount?.source ?? '', undefined, false);
    expect(held).toBeTypeOf('number');
    try {
      expect(mountsSeenHere(one.volume)).toEqual([]);
      kill(target.pid);
      // The next mounts get the lowest numbers that are free.
      for (let round = 0; round < 2; round++) {
        const next = await stage();
        const nextUid = await next.one.inject(fault);
        const [other] = mountsSeenHere(next.one.volume);
        expect(other?.device).toMatch(/^0:\d+$/);
        expect(other?.device).not.toBe(mount?.device);
        await next.one.recover(nextUid);
        await nothingLeft(next.one, [next.target.pid]);
      }
    } finally {
      if (held !== undefined) closeSync(held);
    }
    await one.recover(uid);
    await nothingLeft(one);
  });
});
