import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { expect, test, vi } from 'vitest';
import { isEndedState } from '../../../src/linux/procfs/stat.ts';
import { probeCommand } from '../../../src/runner/probe/thread/command.ts';
import { tempFolder } from '../../support/cli.ts';
import { killIfAlive, stateOf, until } from '../targets/processes.ts';

/** What happens once, right after the processes of this host have been listed. */
let afterListing: (() => void) | undefined;

vi.mock(import('../../../src/targets/process-table.ts'), async (original) => {
  const { readProcessTable, ...rest } = await original();
  return {
    ...rest,
    readProcessTable: () => {
      const table = readProcessTable();
      table.pids();
      const happen = afterListing;
      afterListing = undefined;
      happen?.();
      return table;
    },
  };
});

/** Waits without letting anything else of this process happen. */
function waitHere(isSo: () => boolean): void {
  const deadline = performance.now() + 60_000;
  const nobodyWakes = new Int32Array(new SharedArrayBuffer(4));
  while (!isSo() && performance.now() < deadline) Atomics.wait(nobodyWakes, 0, 0, 5);
}

const isGone = (pid: number): boolean => isEndedState(stateOf(pid) ?? 'X');

test('who would leave the group of a command while it is looked who belongs to it does not survive it', async () => {
  const folder = tempFolder();
  const file = (name: string): string => path.join(folder, name);
  const pidIn = (name: string): number => (existsSync(file(name)) ? Number(readFileSync(file(name), 'utf8')) : 0);
  const leave = `setsid sh -c 'echo $$ > ${file('child')}; exec sleep 3600' &`;
  const script = `echo $$ > ${file('shell')}; until test -e ${file('go')}; do :; done; ${leave} wait`;
  const source = { kind: 'command', argv: ['sh', '-c', script], everyMs: 600_000, timeoutMs: 600_000 } as const;
  const stop = probeCommand(source, {
    clock: () => performance.now(),
    report: () => undefined,
    leader: new Int32Array(1),
  });
  try {
    const shell = await until('it runs', () => pidIn('shell') || undefined);
    afterListing = () => {
      writeFileSync(file('go'), '');
      waitHere(() => stateOf(shell) === 'T' || pidIn('child') > 0);
    };
    await stop();
    await until('the command is gone', () => isGone(shell));
    expect(pidIn('child') === 0 || isGone(pidIn('child'))).toBe(true);
  } finally {
    await stop();
    for (const pid of [pidIn('shell'), pidIn('child')]) if (pid > 0 && !isGone(pid)) killIfAlive(pid);
  }
});
