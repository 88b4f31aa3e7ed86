import { describe, expect, test } from 'vitest';
import { readProcessState } from '../../../src/linux/procfs/process-state.ts';
import { readStat } from '../../../src/linux/procfs/stat.ts';
import { cli, show, tempStateDir, uidIn } from '../../support/cli.ts';
import { hasPython, start, until } from '../targets/processes.ts';

/** A process whose main thread has ended and whose other thread goes on: a zombie by its stat line. */
const script =
  'import ctypes, threading, time; threading.Thread(target=time.sleep, args=(3600,)).start(); ' +
  'ctypes.CDLL(None).pthread_exit(None)';

describe.skipIf(!hasPython)('a process whose main thread has ended', () => {
  test('is seen stopped, shown stopped, and continued', async () => {
    const { pid } = await start('python3', ['-c', script]);
    await until('its main thread has ended', () => readStat(pid)?.state === 'Z');
    const stateDir = tempStateDir();
    const ran = await cli(['attack', 'process', 'stop', '-p', String(pid)], { stateDir });
    expect(ran, ran.stderr).toMatchObject({ code: 0 });
    expect(readProcessState(pid)).toBe('T');
    const uid = uidIn(ran.stdout);
    const { targets, present } = await show(uid, { stateDir });
    expect(targets[0]).toMatchObject({ verdict: 'confirmed' });
    expect(present[0]).toMatchObject({ verdict: 'confirmed', seen: 'is stopped (state T)' });
    expect(await cli(['recover', uid], { stateDir })).toMatchObject({ code: 0 });
    await until('it goes on', () => readProcessState(pid) === 'S');
  });
});
