import { O_CREAT, O_RDONLY, O_TRUNC, O_WRONLY } from '../../../../support/posix/abi.ts';
import { calls } from '../../../../support/posix/calls.ts';
import type { Identity } from '../../../../support/posix/peer.ts';
import { must } from '../../../../support/posix/scene.ts';
import type { Stat } from '../../../../support/posix/structs.ts';
import { sleepMs } from '../../../../support/posix/wait.ts';

/* Users who exist nowhere but as numbers, and what many cases do. */

export const alice: Identity = { uid: 61_001, gid: 61_001 };
export const bob: Identity = { uid: 61_002, gid: 61_002 };
/** A group that nobody has as the first one. */
export const team = 61_100;
export const aliceOfTeam: Identity = { uid: 61_001, gid: 61_001, groups: [team] };

/** A file with these bytes, whose mode is no matter of the umask. */
export function fileWith(path: string, bytes: string | Uint8Array, mode = 0o644): void {
  const fd = must(calls.open(path, O_CREAT | O_WRONLY | O_TRUNC, mode));
  for (let rest = Buffer.from(bytes); rest.length > 0; ) rest = rest.subarray(must(calls.write(fd, rest)));
  must(calls.fchmod(fd, mode));
  calls.close(fd);
}

/** All bytes of a file, up to a megabyte; or a negative errno. */
export function textOf(path: string): Buffer | number {
  const fd = calls.open(path, O_RDONLY);
  if (fd < 0) return fd;
  const bytes = calls.pread(fd, 1_048_576, 0);
  calls.close(fd);
  return bytes;
}

/** A file that belongs to somebody. */
export function fileOf({ uid, gid }: Identity, path: string, mode: number, bytes = 'content'): void {
  fileWith(path, bytes);
  must(calls.chown(path, uid, gid));
  must(calls.chmod(path, mode));
}

export function folderOf({ uid, gid }: Identity, path: string, mode: number): void {
  must(calls.mkdir(path));
  must(calls.chown(path, uid, gid));
  must(calls.chmod(path, mode));
}

export function statOf(path: string): Stat {
  const stat = calls.lstat(path);
  if (typeof stat === 'number') throw new Error(`${path}: errno ${-stat}`);
  return stat;
}

/** Let so much time go by that every file system's clock has moved: several ticks of the slowest kernel. */
export function tick(): void {
  sleepMs(25);
}

/** Which of three times have moved between two looks, and that none has gone back. */
export function moved(before: Stat, after: Stat): string {
  const names = (['atime', 'mtime', 'ctime'] as const).filter((name) => before[name] !== after[name]);
  return names.map((name) => (after[name] > before[name] ? name : `${name} back`)).join(' ') || 'none';
}

export const KiB = 1024;
export const MiB = 1024 * KiB;
export const GiB = 1024 * MiB;

/** Bytes that are different everywhere. */
export function pattern(length: number, seed = 1): Buffer {
  const bytes = Buffer.alloc(length);
  for (let index = 0, value = seed; index < length; index++) {
    value = (Math.imul(value, 1_103_515_245) + 12_345) & 0x7fffffff;
    bytes[index] = value >>> 16;
  }
  return bytes;
}
