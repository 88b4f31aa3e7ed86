import { constants, type Stats } from 'node:fs';
import { type FileHandle, open } from 'node:fs/promises';
import { isErrno } from '../../../linux/syscall-error.ts';
import { matchesOf } from '../../../targets/bounded-regex.ts';
import type { LogSource } from '../../experiment.ts';
import { lookEvery, startLooking } from './looking.ts';
import type { Prober } from './prober.ts';
import { newLines } from './new-lines.ts';
import type { Result } from './rounds.ts';

const readOnly = constants.O_RDONLY | constants.O_NONBLOCK;
const pieceBytes = 256 * 1024;
/** Of each look: a log that grows faster is caught up with later. */
const mostBytesOfLook = 32 * 1024 * 1024;

interface Opened {
  readonly file: FileHandle;
  readonly identity: Stats;
  /** How far it has been read. */
  at: number;
  readonly lines: (piece: Buffer) => readonly string[];
}

/** @returns undefined when there is no such file now */
async function openLog(path: string, where: 'start' | 'end'): Promise<Opened | undefined> {
  let file: FileHandle;
  try {
    file = await open(path, readOnly);
  } catch (error) {
    if (isErrno(error, 'ENOENT')) return undefined;
    throw error;
  }
  const identity = await file.stat();
  if (!identity.isFile()) {
    await file.close();
    throw new Error('not a regular file');
  }
  return { file, identity, at: where === 'end' ? identity.size : 0, lines: newLines() };
}

/**
 * Follows a file by its name: one that is truncated is read from its beginning, and where another one has taken its
 * place, what is left of the old one is read before the new one. Only what is appended from now on counts.
 *
 * What is truncated and grows past its old length between two looks cannot be told from what is appended.
 */
class Follower {
  private readonly path: string;
  private opened: Opened | undefined;
  private isFirst = true;

  constructor(path: string) {
    this.path = path;
  }

  /** @throws Error with errno: it cannot be read */
  async newLines(): Promise<readonly string[]> {
    // A file that appears later has been appended to from its beginning.
    this.opened ??= await openLog(this.path, this.isFirst ? 'end' : 'start');
    this.isFirst = false;
    if (this.opened === undefined) throw new Error('not found');
    const lines = await this.readOn(this.opened);
    const next = await openLog(this.path, 'start');
    if (next === undefined) return lines;
    const { dev, ino } = this.opened.identity;
    if (next.identity.dev === dev && next.identity.ino === ino) {
      await next.file.close();
      return lines;
    }
    // Between reading and looking something may have been appended to the old one.
    const last = await this.readOn(this.opened);
    await this.opened.file.close();
    this.opened = next;
    return [...lines, ...last, ...(await this.readOn(next))];
  }

  async close(): Promise<void> {
    await this.opened?.file.close();
    this.opened = undefined;
  }

  private async readOn(opened: Opened): Promise<readonly string[]> {
    if ((await opened.file.stat()).size < opened.at) opened.at = 0;
    const lines: (readonly string[])[] = [];
    for (let rest = mostBytesOfLook; rest > 0; ) {
      const { bytesRead, buffer } = await opened.file.read({ buffer: Buffer.alloc(pieceBytes), position: opened.at });
      if (bytesRead === 0) break;
      opened.at += bytesRead;
      rest -= bytesRead;
      lines.push(opened.lines(buffer.subarray(0, bytesRead)));
    }
    return lines.flat();
  }
}

/** Lines that are appended to a file and match. */
export const probeLog: Prober<LogSource> = ({ path, pattern, everyMs }, parts) => {
  const follower = new Follower(path);
  const matcher = new RegExp(pattern, 'u');
  let busy: Promise<unknown> = Promise.resolve();

  async function look(): Promise<Result> {
    const lines = await follower.newLines();
    return { values: { lines: matchesOf(matcher, lines).filter(Boolean).length } };
  }
  const rounds = startLooking(lookEvery(everyMs), parts, () => {
    const looking = look();
    busy = looking.catch(() => undefined);
    return looking;
  });
  return async () => {
    rounds.stop();
    await busy;
    await follower.close();
  };
};
