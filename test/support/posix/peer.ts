import { spawn } from 'node:child_process';
import { readSync, writeSync } from 'node:fs';
import { POLLIN } from './abi.ts';
import { calls } from './calls.ts';
import type { Deeds } from './deeds.ts';
import { decodeMessage, encodeMessage } from './message.ts';

/*
 * Another process that makes system calls when it is told to, as another user if need be. It is spoken to without the
 * event loop, so that a test can be written as a sequence of calls, whoever makes them.
 */

export interface Identity {
  readonly uid: number;
  readonly gid: number;
  /** Supplementary groups. */
  readonly groups?: readonly number[];
  /** Tells apart several peers of one user. */
  readonly name?: string;
}

/** Something that a peer is still about, as a lock that it waits for. */
export interface Pending {
  /** Is it over within that time? */
  isOver(timeoutMs: number): boolean;
  /** Wait for its end. */
  result(): unknown;
}

export interface Peer {
  readonly pid: number;
  /** Ours, by which it is spoken to. */
  readonly fds: readonly number[];
  /** Its system calls, one by one. */
  readonly does: Deeds;
  readonly begin: <Name extends keyof Deeds>(name: Name, ...args: Parameters<Deeds[Name]>) => Pending;
  readonly end: () => void;
  readonly hasEnded: () => boolean;
}

const patienceMs = 60_000;
const EINTR = 4;

interface Answer {
  readonly value?: unknown;
  readonly error?: string;
}

/** The two pipes to a peer. */
class Line {
  private readonly toPeer: number;
  private readonly fromPeer: number;
  private received = '';

  constructor(toPeer: number, fromPeer: number) {
    this.toPeer = toPeer;
    this.fromPeer = fromPeer;
  }

  send(message: unknown): void {
    let rest = Buffer.from(encodeMessage(message));
    while (rest.length > 0) rest = rest.subarray(writeSync(this.toPeer, rest));
  }

  hasAnswer(timeoutMs: number): boolean {
    const deadline = performance.now() + timeoutMs;
    while (!this.received.includes('\n')) {
      const left = Math.max(0, Math.ceil(deadline - performance.now()));
      const ready = calls.poll(this.fromPeer, POLLIN, left);
      if (ready === -EINTR) continue; // another peer has ended: SIGCHLD
      if (ready <= 0) return false;
      const bytes = Buffer.alloc(65_536);
      const count = readSync(this.fromPeer, bytes);
      if (count === 0) throw new Error('the peer has ended');
      this.received += bytes.toString('utf8', 0, count);
    }
    return true;
  }

  answer(what: string): unknown {
    if (!this.hasAnswer(patienceMs)) throw new Error(`the peer has not done ${what} within a minute`);
    const end = this.received.indexOf('\n');
    const { value, error } = decodeMessage(this.received.slice(0, end)) as Answer;
    this.received = this.received.slice(end + 1);
    if (error !== undefined) throw new Error(`the peer failed at ${what}: ${error}`);
    return value;
  }

  close(): void {
    calls.close(this.toPeer);
    calls.close(this.fromPeer);
  }
}

function pending(line: Line, name: string, args: readonly unknown[]): Pending {
  line.send({ name, args });
  return { isOver: (timeoutMs) => line.hasAnswer(timeoutMs), result: () => line.answer(name) };
}

/** Start a peer. The program is the bundle that the caller runs from. */
export function startPeer(identity: Identity): Peer {
  const [commands, toPeer] = calls.pipe();
  const [fromPeer, answers] = calls.pipe();
  const child = spawn(process.execPath, [process.argv[1] ?? '', 'peer', JSON.stringify(identity)], {
    stdio: [commands, answers, 'inherit'],
    cwd: '/',
  });
  child.unref();
  calls.close(commands);
  calls.close(answers);
  const { pid } = child;
  if (pid === undefined) throw new Error('a peer could not be started');
  const line = new Line(toPeer, fromPeer);
  let ended = false;
  const does = new Proxy({} as Deeds, {
    get:
      (_, name) =>
      (...args: readonly unknown[]) =>
        pending(line, String(name), args).result(),
  });
  return {
    pid,
    fds: [toPeer, fromPeer],
    does,
    begin: (name, ...args) => pending(line, name, args),
    end: () => {
      if (ended) return;
      ended = true;
      line.close();
      child.kill('SIGKILL');
    },
    hasEnded: () => ended,
  };
}

/** Be a peer: do what comes in, until nothing comes any more. */
export function bePeer(identity: Identity, deeds: Deeds): void {
  calls.umask(0o022); // loads the binding while that may still be read
  if (identity.uid !== 0 || identity.groups !== undefined) {
    process.setgroups?.([...(identity.groups ?? [])]);
    process.setgid?.(identity.gid);
    process.setuid?.(identity.uid);
  }
  let received = '';
  const bytes = Buffer.alloc(65_536);
  for (let count = readSync(0, bytes); count > 0; count = readSync(0, bytes)) {
    received += bytes.toString('utf8', 0, count);
    for (let end = received.indexOf('\n'); end !== -1; end = received.indexOf('\n')) {
      const answer = answerTo(decodeMessage(received.slice(0, end)) as Command, deeds);
      received = received.slice(end + 1);
      let rest = Buffer.from(encodeMessage(answer));
      while (rest.length > 0) rest = rest.subarray(writeSync(1, rest));
    }
  }
}

interface Command {
  readonly name: keyof Deeds;
  readonly args: readonly unknown[];
}

function answerTo({ name, args }: Command, deeds: Deeds): Answer {
  try {
    return { value: (deeds[name] as (...values: readonly unknown[]) => unknown)(...args) };
  } catch (error) {
    return { error: error instanceof Error ? (error.stack ?? error.message) : String(error) };
  }
}
