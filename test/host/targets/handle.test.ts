import { readdirSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import { afterEach, describe, expect, it } from 'vitest';
import { isEndedState, readStat } from '../../../src/linux/procfs/stat.ts';
import { hasExited, sendSignal } from '../../../src/linux/pidfd.ts';
import { closeProcess, openProcess, type ProcessHandle } from '../../../src/targets/handle.ts';
import { currentState, identityKey, identityOf, type ProcessIdentity } from '../../../src/targets/identity.ts';
import {
  canChoosePids,
  end,
  hasPython,
  nextPidFrom,
  sleeper,
  start,
  startZombie,
  type TestProcess,
  until,
} from './processes.ts';

/** Start a process with this PID; undefined when others on this host were quicker. */
async function startWithPid(pid: number): Promise<TestProcess | undefined> {
  for (let attempt = 0; attempt < 20 && readStat(pid) === undefined; attempt += 1) {
    nextPidFrom(pid);
    const one = await sleeper('reuser');
    if (one.pid === pid) return one;
    await end(one);
  }
  return undefined;
}

function identify({ pid }: { readonly pid: number }): ProcessIdentity {
  const stat = readStat(pid);
  if (stat === undefined) throw new Error(`process ${pid} is gone`);
  return identityOf(stat);
}

const handles: ProcessHandle[] = [];

function open(identity: ProcessIdentity): ProcessHandle {
  const opened = openProcess(identity);
  if (opened.state !== 'open') throw new Error(`process ${identity.pid} is ${opened.state}`);
  handles.push(opened.handle);
  return opened.handle;
}

const openFiles = () => readdirSync('/proc/self/fd').length;

afterEach(() => {
  for (const handle of handles.splice(0)) closeProcess(handle);
});

describe('openProcess', () => {
  it('holds a live process, which can be signalled', async () => {
    const one = await sleeper('holdme');
    const handle = open(identify(one));
    expect(handle.identity).toEqual(identify(one));
    sendSignal(handle.pidfd, 9);
    await until('the process has ended', () => hasExited(handle.pidfd));
    expect(isEndedState(readStat(one.pid)?.state ?? 'X')).toBe(true);
  });

  it('finds nobody once the process is gone', async () => {
    const one = await sleeper('goner');
    const identity = identify(one);
    await end(one);
    expect(openProcess(identity)).toEqual({ state: 'gone' });
    expect(currentState(identity)).toBe('gone');
  });

  it('does not take another start time for the process, nor another boot', async () => {
    const identity = identify(await sleeper('other'));
    const before = openFiles();
    for (let time = 0; time < 20; time += 1) {
      expect(openProcess({ ...identity, startTimeTicks: identity.startTimeTicks - 1 })).toEqual({ state: 'reused' });
      expect(openProcess({ ...identity, bootId: '00000000-0000-0000-0000-000000000000' })).toEqual({
        state: 'rebooted',
      });
    }
    expect(openFiles(), 'pidfds of strangers are let go').toBe(before);
  });

  it('finds nobody where the number is a thread of another process', () => {
    const own = readdirSync('/proc/self/task').map(Number);
    const thread = own.find((tid) => tid !== process.pid);
    const stat = thread === undefined ? undefined : readStat(thread);
    if (stat === undefined) throw new Error('Node has no second thread');
    expect(openProcess(identityOf(stat)).state).toBe('gone');
    expect(openProcess({ ...identityOf(stat), startTimeTicks: 1 }).state).toBe('reused');
  });

  it('finds nobody in a zombie, and lets go of it', async () => {
    const zombie = identify(await startZombie());
    const before = openFiles();
    expect(currentState(zombie)).toBe('zombie');
    expect(openProcess(zombie)).toEqual({ state: 'gone' });
    expect(openFiles()).toBe(before);
  });

  it('closes twice without harm', async () => {
    const handle = open(identify(await sleeper('twice')));
    closeProcess(handle);
    closeProcess(handle);
    expect(() => sendSignal(handle.pidfd, 0)).toThrow('has been closed');
  });
});

describe.runIf(canChoosePids)('a PID that is really used again', () => {
  async function reuse() {
    for (let attempt = 0; attempt < 50; attempt += 1) {
      const first = await sleeper('reused');
      const identity = identify(first);
      const handle = open(identity);
      await end(first);
      // More than the clock tick in which the first one was started.
      await delay(20);
      const second = await startWithPid(first.pid);
      if (second !== undefined) return { identity, handle, second };
    }
    throw new Error('in 50 attempts no PID came a second time');
  }

  it('is told from its first holder', async () => {
    const { identity, second } = await reuse();
    expect(second.pid).toBe(identity.pid);
    expect(currentState(identity)).toBe('reused');
    expect(openProcess(identity)).toEqual({ state: 'reused' });
    expect(currentState(identify(second))).toBe('alive');
    expect(identityKey(identify(second))).not.toBe(identityKey(identity));
  });

  it('never receives a signal that was meant for its first holder', async () => {
    const { handle, second } = await reuse();
    expect(() => sendSignal(handle.pidfd, 9)).toThrow(expect.objectContaining({ errno: 'ESRCH' }));
    expect(currentState(identify(second))).toBe('alive');
    await delay(50);
    expect(second.child.signalCode).toBeNull();
  });
});

describe('currentState', () => {
  it('is alive for a process that is stopped', async () => {
    const one = await sleeper('stopped');
    one.child.kill('SIGSTOP');
    await until('it has stopped', () => readStat(one.pid)?.state === 'T');
    expect(currentState(identify(one))).toBe('alive');
  });

  it.runIf(hasPython)('is alive for a process whose main thread has exited and whose others go on', async () => {
    const script =
      'import ctypes, threading, time; threading.Thread(target=time.sleep, args=(3600,)).start(); ' +
      'ctypes.CDLL(None).pthread_exit(None)';
    const one = await start('python3', ['-c', script]);
    await until('its main thread has exited', () => readStat(one.pid)?.state === 'Z');
    expect(currentState(identify(one))).toBe('alive');
    const handle = open(identify(one));
    expect(hasExited(handle.pidfd)).toBe(false);
    sendSignal(handle.pidfd, 9);
    await until('it has ended', () => hasExited(handle.pidfd));
  });
});
