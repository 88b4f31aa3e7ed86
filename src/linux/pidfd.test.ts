import { once } from 'node:events';
import { createRequire } from 'node:module';
import { describe, expect, onTestFinished, test } from 'vitest';
import { architecture } from './arch.ts';
import { addressOf, bindUnchecked } from './libc.ts';
import {
  closePidfd,
  exitStatus,
  hasExited,
  openPidfd,
  type Pidfd,
  pidfdSupport,
  pollExit,
  sendSignal,
  waitChild,
} from './pidfd.ts';
import { readStat } from './procfs/stat.ts';
import { parseSignal } from './signals.ts';
import { openDescriptors } from './test-support/descriptors.ts';
import { eventually, hold, start, startExiting, startFamily, startSleep } from './test-support/processes.ts';

const SIGKILL = 9;
const SIGSEGV = 11;
const SIGTERM = 15;
const SIGCONT = 18;
const SIGSTOP = 19;
const isRoot = process.geteuid?.() === 0;
const support = pidfdSupport();

/** `exec`: a parent that turns into something that never waits, so that its child stays a zombie. */
const NEVER_WAIT = 'exec sleep 1000';
/** A parent that reaps its child, and lives on. */
const WAIT = 'wait; exec sleep 1000';

/** `anon_inode:[pidfd]`, and `pidfd:[42]` from Linux 6.9 on. */
function openPidfds(): number {
  return openDescriptors('pidfd').length;
}

/** Waits until it ends. The wait itself ends early when a child of another test's ends. */
function waitForEnd(pidfd: Pidfd, timeoutMs: number): boolean {
  for (let looks = 0; looks < 100; looks += 1) if (pollExit([pidfd], timeoutMs)[0] === true) return true;
  return false;
}

/** Runs something as user nobody. The process's own rights are restored whatever happens. */
function asNobody<Result>(action: () => Result): Result {
  process.seteuid?.(65534);
  try {
    return action();
  } finally {
    process.seteuid?.(0);
  }
}

describe('openPidfd', () => {
  test.each([0, -1, 1.5, Number.NaN, Number.POSITIVE_INFINITY, 2 ** 31, 2 ** 32 + 1])('%d is no PID', (pid) => {
    expect(() => openPidfd(pid)).toThrow(expect.objectContaining({ code: 'PID_INVALID' }));
  });

  test('a PID that nobody has: ESRCH', () => {
    expect(() => openPidfd(2 ** 31 - 1)).toThrow(expect.objectContaining({ errno: 'ESRCH', syscall: 'pidfd_open' }));
  });

  test('the descriptor is not inherited by programs that are started', async () => {
    const { pid } = await startSleep();
    const before = openPidfds();
    const pidfd = hold(pid);
    expect(openPidfds()).toBe(before + 1);
    const lister = await start('sh', ['-c', `test -e /proc/self/fd/${pidfd.fd}`]);
    const [code] = lister.child.exitCode === null ? await once(lister.child, 'exit') : [lister.child.exitCode];
    expect(code).toBe(1);
  });

  test('closing twice never closes somebody else’s descriptor', async () => {
    const { pid } = await startSleep();
    const first = openPidfd(pid);
    closePidfd(first);
    const second = hold(pid);
    expect(second.fd).toBe(first.fd);
    closePidfd(first);
    expect(hasExited(second)).toBe(false);
    expect(() => sendSignal(first, 0)).toThrow(/has been closed/);
  });
});

describe('sendSignal', () => {
  test('stops, continues and kills exactly that process', async () => {
    const { pid, child } = await startSleep();
    const pidfd = hold(pid);
    sendSignal(pidfd, parseSignal('STOP'));
    await eventually(() => readStat(pid)?.state === 'T');
    sendSignal(pidfd, SIGCONT);
    await eventually(() => readStat(pid)?.state === 'S');
    const exited = once(child, 'exit');
    sendSignal(pidfd, SIGTERM);
    expect(await exited).toEqual([null, 'SIGTERM']);
  });

  test('signal 0 asks only; ESRCH once the process is reaped', async () => {
    const { pid, child } = await startSleep();
    const pidfd = hold(pid);
    sendSignal(pidfd, 0);
    const exited = once(child, 'exit');
    sendSignal(pidfd, SIGKILL);
    await exited;
    expect(() => sendSignal(pidfd, 0)).toThrow(expect.objectContaining({ errno: 'ESRCH' }));
    expect(() => sendSignal(pidfd, SIGKILL)).toThrow(expect.objectContaining({ errno: 'ESRCH' }));
  });

  test('a signal that does not exist: EINVAL', async () => {
    const pidfd = hold((await startSleep()).pid);
    expect(() => sendSignal(pidfd, 65)).toThrow(expect.objectContaining({ errno: 'EINVAL' }));
  });

  test.skipIf(isRoot)('another user’s process: EPERM', () => {
    const pidfd = openPidfd(1);
    onTestFinished(() => closePidfd(pidfd));
    expect(() => sendSignal(pidfd, 0)).toThrow(
      expect.objectContaining({ code: 'PERMISSION_DENIED', errno: 'EPERM', syscall: 'pidfd_send_signal' }),
    );
  });

  test.runIf(isRoot)('another user’s process, as nobody: EPERM', async () => {
    // Not root's: our real user ID stays root, and that alone would allow it.
    const pidfd = hold((await startSleep({ uid: 1 })).pid);
    asNobody(() => {
      expect(() => sendSignal(pidfd, SIGKILL)).toThrow(
        expect.objectContaining({ code: 'PERMISSION_DENIED', errno: 'EPERM', syscall: 'pidfd_send_signal' }),
      );
    });
    expect(hasExited(pidfd)).toBe(false);
  });
});

describe('pollExit', () => {
  /** A process that ends by itself a moment after it was taken hold of. */
  async function startEnding(): Promise<Pidfd> {
    const { grandchild } = await startFamily(`sh -c 'kill -STOP $$; sleep 0.2' & echo $!; ${NEVER_WAIT}`);
    await eventually(() => readStat(grandchild.pid)?.state === 'T');
    sendSignal(grandchild, SIGCONT);
    return grandchild;
  }

  test('many at once, answered in order', async () => {
    const pidfds = await Promise.all(Array.from({ length: 8 }, async () => hold((await startSleep()).pid)));
    expect(pollExit(pidfds, 0)).toEqual(Array(8).fill(false));
    const doomed = new Set([1, 6]);
    for (const [index, pidfd] of pidfds.entries()) if (doomed.has(index)) sendSignal(pidfd, SIGKILL);
    await eventually(() => pollExit(pidfds, 0).filter(Boolean).length === 2);
    expect(pollExit(pidfds, 0)).toEqual(pidfds.map((_, index) => doomed.has(index)));
  });

  test('waits until one ends, and not until the time is over', async () => {
    const grandchild = await startEnding();
    const started = performance.now();
    expect(waitForEnd(grandchild, 20_000)).toBe(true);
    expect(performance.now() - started).toBeLessThan(15_000);
  });

  test('waits as long as it was told to, to the fraction of a millisecond', async () => {
    const pidfd = hold((await startSleep()).pid);
    const waitedMs = (timeoutMs: number): number => {
      const started = performance.now();
      expect(pollExit([pidfd], timeoutMs)).toEqual([false]);
      return performance.now() - started;
    };
    for (const timeoutMs of [0, 0.5, 50, 1050]) {
      let lastedMs = waitedMs(timeoutMs);
      // Once more: a signal ends the wait, and a child of another test's may have ended just then.
      for (let tries = 0; tries < 3 && lastedMs < timeoutMs; tries += 1) lastedMs = waitedMs(timeoutMs);
      expect(lastedMs).toBeGreaterThanOrEqual(timeoutMs);
    }
    expect(pollExit([pidfd], -1)).toEqual([false]);
    expect(pollExit([], 0)).toEqual([]);
  });

  test('for ever means until it ends', async () => {
    expect(waitForEnd(await startEnding(), Number.POSITIVE_INFINITY)).toBe(true);
  });

  test('a signal for us ends the wait early, so that its handler can run', async () => {
    const pidfd = hold((await startSleep()).pid);
    // Taken off last, after the sender is dead: without a listener the signal would kill us.
    const ignore = (): void => {};
    process.on('SIGUSR2', ignore);
    onTestFinished(() => void process.off('SIGUSR2', ignore));
    // Again and again: one that arrives before the wait begins does not end it. Should we die, it ends with us, rather
    // than signal whoever gets our PID.
    await start('sh', ['-c', 'while sleep 0.1 && kill -USR2 $PPID; do :; done']);
    const started = performance.now();
    expect(pollExit([pidfd], 20_000)).toEqual([false]);
    expect(performance.now() - started).toBeLessThan(15_000);
    await once(process, 'SIGUSR2');
  });

  test('a zombie has exited', async () => {
    const { grandchild } = await startFamily(`sleep 1000 & echo $!; ${NEVER_WAIT}`);
    expect(hasExited(grandchild)).toBe(false);
    sendSignal(grandchild, SIGKILL);
    expect(waitForEnd(grandchild, 20_000)).toBe(true);
    expect(readStat(grandchild.pid)?.state).toBe('Z');
  });
});

describe('exitStatus of processes that are not ours', () => {
  test('none while it lives, also when it is stopped', async () => {
    const { grandchild } = await startExiting(7, NEVER_WAIT);
    expect(exitStatus(grandchild)).toBeUndefined();
  });

  test('a zombie that exited', async () => {
    const { grandchild } = await startExiting(7, NEVER_WAIT);
    sendSignal(grandchild, SIGCONT);
    await eventually(() => hasExited(grandchild));
    expect(readStat(grandchild.pid)?.state).toBe('Z');
    expect(exitStatus(grandchild)).toEqual({ kind: 'exited', code: 7 });
  });

  test('a zombie that exited with 0', async () => {
    const { grandchild } = await startExiting(0, NEVER_WAIT);
    sendSignal(grandchild, SIGCONT);
    await eventually(() => hasExited(grandchild));
    expect(exitStatus(grandchild)).toEqual({ kind: 'exited', code: 0 });
  });

  test.runIf(isRoot)('a zombie whose status we may not see has none, not 0', async () => {
    const { grandchild } = await startExiting(7, NEVER_WAIT);
    sendSignal(grandchild, SIGCONT);
    await eventually(() => hasExited(grandchild));
    expect(asNobody(() => exitStatus(grandchild))).toBeUndefined();
  });

  test('a zombie that died of a signal', async () => {
    const { grandchild } = await startFamily(`sleep 1000 & echo $!; ${NEVER_WAIT}`);
    sendSignal(grandchild, SIGKILL);
    await eventually(() => hasExited(grandchild));
    expect(exitStatus(grandchild)).toEqual({ kind: 'signaled', signal: SIGKILL, coreDumped: false });
  });

  test('a signal that would dump core says whether it did', async () => {
    const { grandchild } = await startFamily(`ulimit -c 0; sleep 1000 & echo $!; ${NEVER_WAIT}`);
    sendSignal(grandchild, SIGSEGV);
    await eventually(() => hasExited(grandchild));
    expect(exitStatus(grandchild)).toMatchObject({ kind: 'signaled', signal: SIGSEGV });
  });

  test('a main thread that ended before the others is no dead process, though it looks like a zombie', async () => {
    const koffi = createRequire(import.meta.url).resolve('koffi');
    // exit(2) by number ends the calling thread alone; Node's other threads live on.
    const number = architecture() === 'x86_64' ? 60 : 93;
    const script = `require(process.argv[1]).load(null).func('syscall', 'long', ['long', 'long'])(${number}, 5)`;
    const { pid, child } = await start(process.execPath, ['-e', script, koffi]);
    const pidfd = hold(pid);
    await eventually(() => readStat(pid)?.state === 'Z');
    expect(hasExited(pidfd)).toBe(false);
    expect(exitStatus(pidfd)).toBeUndefined();
    const exited = once(child, 'exit');
    sendSignal(pidfd, SIGKILL);
    expect(await exited).toEqual([null, 'SIGKILL']);
    expect(exitStatus(pidfd)).toEqual(
      support.exitInfo ? { kind: 'signaled', signal: SIGKILL, coreDumped: false } : undefined,
    );
  });

  test('the descriptor decides, not the number: a zombie under a reused PID is not ours', async () => {
    const reaped = await startExiting(7, WAIT);
    sendSignal(reaped.grandchild, SIGCONT);
    await eventually(() => readStat(reaped.grandchild.pid) === undefined);
    const zombie = await startFamily(`sleep 1000 & echo $!; ${NEVER_WAIT}`);
    sendSignal(zombie.grandchild, SIGKILL);
    await eventually(() => hasExited(zombie.grandchild));
    const reused: Pidfd = Object.freeze({ pid: zombie.grandchild.pid, fd: reaped.grandchild.fd });
    expect(exitStatus(reused)).toEqual(support.exitInfo ? { kind: 'exited', code: 7 } : undefined);
  });

  test.runIf(support.exitInfo)('one that its parent reaped: exited', async () => {
    const { grandchild } = await startExiting(7, WAIT);
    sendSignal(grandchild, SIGCONT);
    await eventually(() => readStat(grandchild.pid) === undefined);
    expect(exitStatus(grandchild)).toEqual({ kind: 'exited', code: 7 });
  });

  test.runIf(support.exitInfo)('one that its parent reaped: died of a signal', async () => {
    const { grandchild } = await startFamily(`sleep 1000 & echo $!; ${WAIT}`);
    sendSignal(grandchild, SIGTERM);
    await eventually(() => readStat(grandchild.pid) === undefined);
    expect(exitStatus(grandchild)).toEqual({ kind: 'signaled', signal: SIGTERM, coreDumped: false });
  });

  test.skipIf(support.exitInfo)('one that its parent reaped is not known on this kernel', async () => {
    const { grandchild } = await startFamily(`sleep 1000 & echo $!; ${WAIT}`);
    sendSignal(grandchild, SIGTERM);
    await eventually(() => readStat(grandchild.pid) === undefined);
    expect(exitStatus(grandchild)).toBeUndefined();
  });

  test.runIf(support.exitInfo)('known at every moment of dying', async () => {
    for (let round = 0; round < 20; round += 1) {
      const { grandchild } = await startFamily(`sleep 1000 & echo $!; ${WAIT}`);
      sendSignal(grandchild, SIGTERM);
      waitForEnd(grandchild, 20_000);
      expect(exitStatus(grandchild)).toEqual({ kind: 'signaled', signal: SIGTERM, coreDumped: false });
    }
  });

  test('a child that Node reaped', async () => {
    const { pid, child } = await start('sh', ['-c', 'read line; exit 3']);
    const pidfd = hold(pid);
    const exited = once(child, 'exit');
    child.stdin.end('\n');
    await exited;
    expect(exitStatus(pidfd)).toEqual(support.exitInfo ? { kind: 'exited', code: 3 } : undefined);
  });
});

describe('waitChild', () => {
  /** posix_spawn(3): a child that libuv knows nothing of. */
  function spawnUnknownToNode(argv: readonly string[]): Pidfd {
    const posixSpawn = bindUnchecked('posix_spawn', 'int', [
      'pointer',
      'string',
      'pointer',
      'pointer',
      'pointer',
      'pointer',
    ]);
    const strings = argv.map((argument) => Buffer.from(`${argument}\0`));
    const pointers = BigUint64Array.from([...strings.map(addressOf), 0n]);
    const pid = new Int32Array(1);
    expect(posixSpawn(pid, '/bin/sh', null, null, pointers, new BigUint64Array(1))).toBe(0);
    return hold(pid[0] ?? -1);
  }

  test('nothing while it runs, then how it ended, then it is no child any more', () => {
    const pidfd = spawnUnknownToNode(['sh', '-c', 'kill -STOP $$; exit 42']);
    expect(waitChild(pidfd)).toBeUndefined();
    sendSignal(pidfd, SIGCONT);
    while (!hasExited(pidfd)) {
      sendSignal(pidfd, SIGCONT);
      pollExit([pidfd], 5);
    }
    expect(waitChild(pidfd)).toEqual({ kind: 'exited', code: 42 });
    expect(() => waitChild(pidfd)).toThrow(expect.objectContaining({ errno: 'ECHILD', syscall: 'waitid' }));
  });

  test('died of a signal', () => {
    const pidfd = spawnUnknownToNode(['sh', '-c', 'kill -STOP $$']);
    sendSignal(pidfd, SIGSTOP);
    sendSignal(pidfd, SIGKILL);
    // That it has stopped is told by a signal, too.
    waitForEnd(pidfd, 20_000);
    expect(waitChild(pidfd)).toEqual({ kind: 'signaled', signal: SIGKILL, coreDumped: false });
  });

  test('not for somebody else’s child', async () => {
    const { grandchild } = await startFamily(`sleep 1000 & echo $!; ${NEVER_WAIT}`);
    expect(() => waitChild(grandchild)).toThrow(expect.objectContaining({ errno: 'ECHILD' }));
  });
});

test('support is found out without leaking a descriptor', () => {
  const before = openPidfds();
  expect(pidfdSupport()).toEqual(support);
  expect(openPidfds()).toBe(before);
  expect(support.open).toBe(true);
});
