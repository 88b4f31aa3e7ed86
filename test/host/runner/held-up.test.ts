import { readFileSync } from 'node:fs';
import path from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { expect, onTestFinished, test } from 'vitest';
import { runRecoverCommand } from '../../../src/faults/process/recover-command.ts';
import { runCommand } from '../../../src/runner/command.ts';
import { tempFolder } from '../../support/cli.ts';
import { killIfAlive, stateOf } from '../targets/processes.ts';

/*
 * A machine that stands still longer than a command may take, while the command has long ended.
 */

function block(ms: number): void {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, ms);
}

test('a command of a run that ended in time is not told to be late', async () => {
  const ran = runCommand({ argv: ['sleep', '0.1'], timeoutMs: 500 }, new AbortController().signal);
  await delay(50);
  block(2_000);
  expect(await ran).toEqual({ succeeded: true, detail: null });
});

test('nor is a recover command', async () => {
  const file = path.join(tempFolder(), 'left');
  const ran = runRecoverCommand(`sleep 3600 & echo $! > ${file}; sleep 0.1`, 500);
  await delay(50);
  block(2_000);
  expect(await ran).toMatchObject({ exitCode: 0, timedOut: false });
  const left = Number(readFileSync(file, 'utf8'));
  onTestFinished(() => killIfAlive(left));
  expect(stateOf(left), 'what it has repaired goes on').toBe('S');
});
