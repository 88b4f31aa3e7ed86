import { createHash } from 'node:crypto';
import { isDeepStrictEqual } from 'node:util';
import { errnoName } from '../../../src/linux/errno.ts';
import type { FileSystem } from './file-system.ts';
import type { Identity, Peer } from './peer.ts';
import type { Stat } from './structs.ts';

/** What a case sees, by a name of its own for each thing, in order. */
export type Observations = Readonly<Record<string, unknown>>;

/** What a case is given: a folder of its own, empty, and where to write down what it sees. */
export interface Scene {
  readonly fileSystem: FileSystem;
  readonly folder: string;
  /** The path of a name in the folder. */
  readonly at: (name: string) => string;
  /**
   * Write down what is seen, to be compared with what the same steps show elsewhere. Negative numbers are errnos.
   *
   * @param expected what it must be on every file system, where that is known
   */
  readonly see: (what: string, seen: unknown, expected?: unknown) => void;
  /** As {@link see}, for calls that give a descriptor or 0: only whether it went well counts. */
  readonly went: (what: string, result: number | object | string, expected?: string) => void;
  /** Another process of that user; the same one each time. Root's when nothing is said. */
  readonly peer: (identity?: Identity) => Peer;
}

/** A difference that is known, and why it must be. */
export interface KnownDifference {
  readonly why: string;
  /** What is seen on the mount; compared if it is there. */
  readonly served?: unknown;
  readonly on?: readonly FileSystem[];
  /** Ways of serving, by their names. */
  readonly when?: readonly string[];
}

export interface PosixCase {
  readonly name: string;
  readonly play: (scene: Scene) => void;
  readonly differences?: Readonly<Record<string, KnownDifference>>;
  /** Whether what it leaves behind is the same each time; true by default. */
  readonly leavesTheSame?: boolean;
  /** Where it can be played, if not everywhere. */
  readonly on?: readonly FileSystem[];
}

/** The result of a call that must go well: what the case is about comes later. */
export function must(result: number): number {
  if (result < 0) throw new Error(`failed: ${errnoName(-result) ?? result}\n${new Error('at').stack ?? ''}`);
  return result;
}

/** As {@link must}, for calls that give more than a number. */
export function mustHave<Value extends object | string>(result: Value | number): Value {
  if (typeof result === 'number') throw new Error(`failed: ${errnoName(-result) ?? result}`);
  return result;
}

/** What of a file's attributes is the same wherever it is. */
export function looks(stat: Stat | number): unknown {
  if (typeof stat === 'number') return stat;
  const { type, mode, links, uid, gid, size, rdev } = stat;
  return { type, mode: `0${mode.toString(8)}`, links, uid, gid, size: type === 'dir' ? 'any' : size, rdev };
}

const longestText = 200;

/** A value as plain data that is the same in every run: errnos by name, long bytes by their hash. */
export function plain(value: unknown, folder: string): unknown {
  if (typeof value === 'number') return value < 0 ? (errnoName(-value) ?? value) : value;
  if (typeof value === 'bigint') return `${value}n`;
  if (value instanceof Uint8Array) return plainBytes(Buffer.from(value));
  if (typeof value === 'string') return value.replaceAll(folder, '.');
  if (Array.isArray(value)) return value.map((item) => plain(item, folder));
  if (typeof value === 'object' && value !== null) {
    return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, plain(item, folder)]));
  }
  return value;
}

function plainBytes(bytes: Buffer): string {
  if (bytes.length <= longestText) return JSON.stringify(bytes.toString('latin1')).slice(1, -1);
  return `${bytes.length} bytes, sha256 ${createHash('sha256').update(bytes).digest('hex').slice(0, 16)}`;
}

export interface Stage {
  readonly fileSystem: FileSystem;
  readonly folder: string;
  readonly peer: (identity: Identity) => Peer;
}

/** Play a case. @throws Error where something is not what it must be everywhere */
export function play(one: PosixCase, { fileSystem, folder, peer }: Stage): Observations {
  const observations: Record<string, unknown> = {};
  function see(what: string, seen: unknown, expected?: unknown): void {
    if (Object.hasOwn(observations, what)) throw new Error(`"${what}" is written down twice`);
    const value = plain(seen, folder);
    observations[what] = value;
    if (expected !== undefined && !isDeepStrictEqual(value, expected)) {
      throw new Error(`${what}: ${JSON.stringify(value)}, which must be ${JSON.stringify(expected)}`);
    }
  }
  one.play({
    fileSystem,
    folder,
    at: (name) => `${folder}/${name}`,
    see,
    went: (what, result, expected) => see(what, typeof result !== 'number' || result >= 0 ? 'ok' : result, expected),
    peer: (identity = { uid: 0, gid: 0 }) => peer(identity),
  });
  return observations;
}
