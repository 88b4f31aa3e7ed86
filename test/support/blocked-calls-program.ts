/**
 * A target: threads that each wait in another system call, and tell if it ever returns, and with what.
 *
 * Bound calls return EINTR as the kernel gives it. (Python, like many languages, would hide it and call again.) Its
 * argument is a comma-separated list of names from `calls`. A line on standard input has it print what it knows.
 *
 * To be run in an IPC namespace of its own: semaphores and message queues outlive processes.
 */
import { mkdtempSync, openSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { createInterface } from 'node:readline';
import { isMainThread, Worker, workerData } from 'node:worker_threads';
import { addressOf, bindUnchecked, lastErrno } from '../../src/linux/libc.ts';
import { readTaskStat } from '../../src/linux/procfs/tasks.ts';
import { type BlockedReport, TIMEOUT_MS } from './blocked-calls.ts';

const long = (value: number): Buffer => {
  const bytes = Buffer.alloc(8);
  bytes.writeBigInt64LE(BigInt(value));
  return bytes;
};
const pairOf = (first: number, second: number): Buffer => Buffer.concat([long(first), long(second)]);
const seconds = (ms: number): Buffer => pairOf(Math.floor(ms / 1000), (ms % 1000) * 1e6);
const bytes = (size: number): Buffer => Buffer.alloc(size);
/** A sigset_t of glibc with one signal in it, or with none. */
const signals = (signal?: number): Buffer => {
  const set = bytes(128);
  if (signal !== undefined) set.writeBigUInt64LE(1n << BigInt(signal - 1));
  return set;
};

const pipe2 = bindUnchecked('pipe2', 'int', ['pointer', 'int']);
const socketpair = bindUnchecked('socketpair', 'int', ['int', 'int', 'int', 'pointer']);
const epollCreate = bindUnchecked('epoll_create1', 'int', ['int']);
const epollCtl = bindUnchecked('epoll_ctl', 'int', ['int', 'int', 'int', 'pointer']);
const read = bindUnchecked('read', 'long', ['int', 'pointer', 'size_t']);

/** The end of an empty pipe that can be read; the other one stays open. */
function emptyPipe(): number {
  const ends = bytes(8);
  pipe2(ends, 0);
  return ends.readInt32LE(0);
}

function emptySocket(): number {
  const ends = bytes(8);
  socketpair(1, 1, 0, ends);
  return ends.readInt32LE(0);
}

/** An epoll that watches a pipe. EPOLL_CTL_ADD, EPOLLIN. */
function emptyEpoll(): number {
  const epoll = epollCreate(0);
  const event = bytes(12);
  event.writeUInt32LE(1);
  epollCtl(epoll, 1, emptyPipe(), event);
  return epoll;
}

function pollfd(fd: number): Buffer {
  const one = bytes(8);
  one.writeInt32LE(fd);
  one.writeInt16LE(1, 4);
  return one;
}

function fdSet(fd: number): Buffer {
  const set = bytes(128);
  set.writeUInt8(1 << (fd % 8), fd >> 3);
  return set;
}

const epollWait = bindUnchecked('epoll_wait', 'int', ['int', 'pointer', 'int', 'int']);
const poll = bindUnchecked('poll', 'int', ['pointer', 'ulong', 'int']);
const ppoll = bindUnchecked('ppoll', 'int', ['pointer', 'ulong', 'pointer', 'pointer']);
const select = bindUnchecked('select', 'int', ['int', 'pointer', 'pointer', 'pointer', 'pointer']);
const nanosleep = bindUnchecked('nanosleep', 'int', ['pointer', 'pointer']);
const recv = bindUnchecked('recv', 'long', ['int', 'pointer', 'size_t', 'int']);
const sigtimedwait = bindUnchecked('sigtimedwait', 'int', ['pointer', 'pointer', 'pointer']);
const semget = bindUnchecked('semget', 'int', ['int', 'int', 'int']);
const semtimedop = bindUnchecked('semtimedop', 'int', ['int', 'pointer', 'size_t', 'pointer']);
const flock = bindUnchecked('flock', 'int', ['int', 'int']);

const SIGUSR2 = 12;
const IPC_CREAT = 0o1600;

function receive(timeoutMs?: number): number {
  const socket = emptySocket();
  if (timeoutMs !== undefined) {
    const setsockopt = bindUnchecked('setsockopt', 'int', ['int', 'int', 'int', 'pointer', 'uint']);
    setsockopt(socket, 1, 20, pairOf(Math.floor(timeoutMs / 1000), 0), 16); // SOL_SOCKET, SO_RCVTIMEO
  }
  return recv(socket, bytes(1), 1, 0);
}

function waitSignal(timeoutMs: number): number {
  bindUnchecked('pthread_sigmask', 'int', ['int', 'pointer', 'pointer'])(0, signals(SIGUSR2), null);
  return sigtimedwait(signals(SIGUSR2), null, seconds(timeoutMs));
}

/** Wait until a semaphore is more than zero, which never happens: struct sembuf { 0, -1, 0 }. */
function waitSemaphore(timeoutMs?: number): number {
  const operation = bytes(6);
  operation.writeInt16LE(-1, 2);
  return semtimedop(semget(0, 1, IPC_CREAT), operation, 1, timeoutMs === undefined ? null : seconds(timeoutMs));
}

function acceptOne(): number {
  const listener = bindUnchecked('socket', 'int', ['int', 'int', 'int'])(1, 1, 0);
  const address = bytes(2);
  address.writeUInt16LE(1);
  // Two bytes of an address: the kernel chooses an abstract name.
  bindUnchecked('bind', 'int', ['int', 'pointer', 'uint'])(listener, address, 2);
  bindUnchecked('listen', 'int', ['int', 'int'])(listener, 1);
  return bindUnchecked('accept', 'int', ['int', 'pointer', 'pointer'])(listener, null, null);
}

function lockHeld(): number {
  const file = path.join(mkdtempSync(path.join(workerFolder(), 'lock-')), 'file');
  flock(openSync(file, 'w'), 2);
  return flock(openSync(file, 'w'), 2);
}

function openFifo(): number {
  const file = path.join(mkdtempSync(path.join(workerFolder(), 'fifo-')), 'fifo');
  bindUnchecked('mkfifo', 'int', ['string', 'uint'])(file, 0o600);
  return bindUnchecked('open', 'int', ['string', 'int'])(file, 0);
}

function workerFolder(): string {
  return process.env['BLOCKED_FOLDER'] ?? tmpdir();
}

/** sem_timedwait takes the wall clock's time. */
function waitFutex(timeoutMs?: number): number {
  const semaphore = bytes(32);
  if (timeoutMs === undefined) return bindUnchecked('sem_wait', 'int', ['pointer'])(semaphore);
  return bindUnchecked('sem_timedwait', 'int', ['pointer', 'pointer'])(semaphore, seconds(Date.now() + timeoutMs));
}

function readInotify(): number {
  return read(bindUnchecked('inotify_init', 'int', [])(), bytes(64), 64);
}

/** The child sleeps for as long as we live: it waits for the end of a pipe of ours. */
function waitForChild(): number {
  const pid = bytes(8);
  const argv = [Buffer.from('sleep\0'), Buffer.from('3600\0')];
  const vector = Buffer.concat([...argv.map((one) => long(Number(addressOf(one)))), long(0)]);
  const spawn = bindUnchecked('posix_spawnp', 'int', ['pointer', 'string', 'pointer', 'pointer', 'pointer', 'pointer']);
  spawn(pid, 'sleep', null, null, vector, long(0));
  return bindUnchecked('waitpid', 'int', ['int', 'pointer', 'int'])(pid.readInt32LE(0), null, 0);
}

/** Every call that a thread of a program is likely to be found in. */
const calls: Readonly<Record<string, () => number>> = {
  'read(pipe)': () => read(emptyPipe(), bytes(1), 1),
  'read(inotify)': readInotify,
  nanosleep: () => nanosleep(seconds(3_600_000), bytes(16)),
  epoll_wait: () => epollWait(emptyEpoll(), bytes(12), 1, -1),
  'epoll_wait with a time-out': () => epollWait(emptyEpoll(), bytes(12), 1, 3_600_000),
  epoll_pwait: () =>
    bindUnchecked('epoll_pwait', 'int', ['int', 'pointer', 'int', 'int', 'pointer'])(
      emptyEpoll(),
      bytes(12),
      1,
      -1,
      signals(),
    ),
  futex: () => waitFutex(),
  poll: () => poll(pollfd(emptyPipe()), 1, -1),
  ppoll: () => ppoll(pollfd(emptyPipe()), 1, null, signals()),
  select: () => {
    const fd = emptyPipe();
    return select(fd + 1, fdSet(fd), null, null, pairOf(3600, 0));
  },
  accept: acceptOne,
  recv: () => receive(),
  'recv with a time-out': () => receive(3_600_000),
  sigtimedwait: () => waitSignal(3_600_000),
  semop: () => waitSemaphore(),
  'semtimedop with a time-out': () => waitSemaphore(3_600_000),
  msgrcv: () => {
    const queue = bindUnchecked('msgget', 'int', ['int', 'int'])(0, IPC_CREAT);
    return bindUnchecked('msgrcv', 'long', ['int', 'pointer', 'size_t', 'long', 'int'])(queue, bytes(16), 8, 0, 0);
  },
  wait4: waitForChild,
  pause: () => bindUnchecked('pause', 'int', [])(),
  flock: lockHeld,
  'open(fifo)': openFifo,
  // The same for a limited time. Of these the kernel knows when they are to end,
  'short nanosleep': () => nanosleep(seconds(TIMEOUT_MS), bytes(16)),
  'short poll': () => poll(pollfd(emptyPipe()), 1, TIMEOUT_MS),
  'short ppoll': () => ppoll(pollfd(emptyPipe()), 1, seconds(TIMEOUT_MS), null),
  'short select': () => {
    const fd = emptyPipe();
    return select(fd + 1, fdSet(fd), null, null, pairOf(TIMEOUT_MS / 1000, 0));
  },
  'short futex': () => waitFutex(TIMEOUT_MS),
  // and these begin their time anew.
  'short epoll_wait': () => epollWait(emptyEpoll(), bytes(12), 1, TIMEOUT_MS),
  'short recv': () => receive(TIMEOUT_MS),
  'short sigtimedwait': () => waitSignal(TIMEOUT_MS),
  'short semtimedop': () => waitSemaphore(TIMEOUT_MS),
};

/** What a thread has to say: its number, whether it is over, the result, errno, and microseconds. */
const SAID = { tid: 0, over: 1, result: 2, errno: 3, elapsedUs: 4, length: 5 } as const;

interface Errand {
  readonly name: string;
  readonly said: SharedArrayBuffer;
}

function waitInCall({ name, said }: Errand): void {
  const cells = new Int32Array(said);
  const call = calls[name];
  if (call === undefined) throw new Error(`there is no call ${name}`);
  const began = performance.now();
  cells[SAID.tid] = bindUnchecked('gettid', 'int', [])();
  const result = call();
  const errno = result === -1 ? lastErrno() : 0;
  cells[SAID.result] = result;
  cells[SAID.errno] = errno;
  cells[SAID.elapsedUs] = (performance.now() - began) * 1000;
  cells[SAID.over] = 1;
}

function report(errands: readonly Errand[]): BlockedReport {
  const entries = errands.map(({ name, said }) => {
    const cells = new Int32Array(said);
    const over = cells[SAID.over] === 1;
    const [result = 0, errno = 0, us = 0] = cells.slice(SAID.result, SAID.length);
    return [name, over ? { result, errno, elapsedMs: us / 1000 } : null] as const;
  });
  return Object.fromEntries(entries);
}

/** Until each thread sleeps, and does so whenever it is looked at. */
function untilAsleep(errands: readonly Errand[]): Promise<void> {
  let quiet = 0;
  return new Promise((resolve) => {
    const look = setInterval(() => {
      const asleep = errands.every(({ said }) => {
        const [tid = 0, over = 0] = new Int32Array(said);
        return over === 1 || (tid !== 0 && readTaskStat(process.pid, tid)?.state === 'S');
      });
      quiet = asleep ? quiet + 1 : 0;
      if (quiet < 10) return;
      clearInterval(look);
      resolve();
    }, 10);
  });
}

async function main(names: readonly string[]): Promise<void> {
  const errands = names.map((name) => ({ name, said: new SharedArrayBuffer(SAID.length * 4) }));
  const threads = errands.map((errand) => new Worker(process.argv[1] ?? '', { workerData: errand }));
  for (const thread of threads) thread.unref();
  await untilAsleep(errands);
  console.log(JSON.stringify(report(errands)));
  createInterface({ input: process.stdin }).on('line', () => console.log(JSON.stringify(report(errands))));
}

if (isMainThread) await main((process.argv[2] ?? '').split(','));
else waitInCall(workerData as Errand);
