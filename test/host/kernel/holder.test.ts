import { closeSync, existsSync, mkdirSync } from 'node:fs';
import path from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { afterEach, expect, test } from 'vitest';
import { handOver } from '../../../src/faults/kernel/holder/hand-over.ts';
import { createHold, isHeld, readReason } from '../../../src/faults/kernel/holder/hold-file.ts';
import { announceKeeper } from '../../../src/faults/keeper-presence.ts';
import { readComm } from '../../../src/linux/procfs/comm.ts';
import { currentState, type ProcessIdentity } from '../../../src/targets/identity.ts';
import { tempStateDir } from '../../support/cli.ts';
import { eventually } from '../../support/eventually.ts';

/*
 * What a holder holds matters nothing to it: here it is no probe, so that any machine can run this.
 */

const script = path.resolve(import.meta.dirname, '../../../dist/faultline.js');
const holders: ProcessIdentity[] = [];

afterEach(() => {
  for (const holder of holders.splice(0)) if (currentState(holder) === 'alive') process.kill(holder.pid, 'SIGKILL');
});

function stateFolder(): string {
  const stateDir = tempStateDir();
  mkdirSync(stateDir, { recursive: true });
  return stateDir;
}

/** Start one that holds nothing but its lock, and wait until it watches. */
async function start(stateDir: string): Promise<ProcessIdentity> {
  const hold = createHold(stateDir, 'key');
  const holder = await handOver({ stateDir, program: [process.execPath, script] }, 'key', hold, []);
  holders.push(holder);
  closeSync(hold);
  await eventually('it holds', () => readComm(holder.pid) === 'faultline-probe');
  return holder;
}

/** Many times as long as it looks for a keeper before it gives up. */
const longMs = 2_000;

test('a holder stays as long as one keeper does, and ends soon after the last one, telling why', async () => {
  const stateDir = stateFolder();
  const leave = announceKeeper(stateDir);
  const holder = await start(stateDir);
  const successorLeaves = announceKeeper(stateDir);
  leave();
  await delay(longMs);
  expect([currentState(holder), readReason(stateDir, 'key')]).toEqual(['alive', undefined]);
  successorLeaves();
  await eventually('it has let go', () => readReason(stateDir, 'key') !== undefined && !isHeld(stateDir, 'key'));
  expect(existsSync(path.join(stateDir, 'kernel', 'key')), 'nothing is left of it').toBe(false);
});

test('told to end, a holder leaves no reason', async () => {
  const stateDir = stateFolder();
  const leave = announceKeeper(stateDir);
  const holder = await start(stateDir);
  await delay(longMs / 10); // it listens a moment after it has its name
  process.kill(holder.pid, 'SIGTERM');
  await eventually('it has ended', () => currentState(holder) !== 'alive');
  expect(readReason(stateDir, 'key')).toBeUndefined();
  leave();
});
