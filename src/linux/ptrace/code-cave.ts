/**
 * Room for a few hundred bytes of code in a process, without mapping any: for that it would have to run code first.
 *
 * Mappings are made of whole pages and what is in them seldom fills the last one. The first choice is the vDSO, which
 * every process has and which the kernel made: from the end of its image to the end of its page there are zeros that
 * nobody reads. A write through ptrace gives the process a copy of that page. The second choice are the code pages of
 * the program and its libraries, which end in zeros likewise, and which are private mappings: the file stays as it is.
 *
 * The bytes are zero again before the process runs on. Only if we are killed they stay as they are, and the next
 * tracer, which finds no zeros there, takes what is free before or elsewhere.
 */
import { readFileSync } from 'node:fs';
import { isErrno, SyscallError } from '../syscall-error.ts';
import { poke } from './requests.ts';
import type { TargetMemory } from './traced-process.ts';
import { findVdso, usedBytes } from './vdso.ts';

/** Less than the smallest page, and more than we need. */
const TAIL_BYTES = 4096;
/** Kept free behind the last byte that is not zero: it may belong to something whose own end is zeros. */
const DISTANCE_BYTES = 32;

interface Room {
  readonly length: number;
  readonly alignment: number;
}

/**
 * Finds unused bytes in executable memory.
 *
 * @returns their address, or undefined where there are none
 */
export function findCave(
  pid: number,
  tid: number,
  memory: Pick<TargetMemory, 'read' | 'readInto'>,
  room: Room,
): number | undefined {
  const vdso = findVdso(pid, tid, memory, TAIL_BYTES);
  const inVdso = vdso === undefined ? undefined : roomIn(vdso.tail, vdso.end, room);
  if (inVdso !== undefined) return inVdso;
  for (const end of executableEnds(readFileSync(`/proc/${pid}/task/${tid}/maps`, 'latin1'))) {
    const found = roomIn(memory.read(end - TAIL_BYTES, TAIL_BYTES), end, room);
    if (found !== undefined) return found;
  }
  return undefined;
}

/** Where in the last bytes of a mapping, which ends at `end`, there is room. */
function roomIn(tail: Uint8Array, end: number, { length, alignment }: Room): number | undefined {
  const start = Math.ceil((usedBytes(tail) + DISTANCE_BYTES) / alignment) * alignment;
  return start + length <= TAIL_BYTES ? end - TAIL_BYTES + start : undefined;
}

/** Where readable, executable, private mappings end, that of the vDSO first. The argument is /proc/PID/maps. */
export function executableEnds(maps: string): readonly number[] {
  const ends: number[] = [];
  for (const line of maps.split('\n')) {
    const found = /^[0-9a-f]+-([0-9a-f]+) r-xp \S+ \S+ \S+ *(.*)$/u.exec(line);
    const [, end = '', name = ''] = found ?? [];
    if (name === '[vdso]') ends.unshift(Number.parseInt(end, 16));
    // No memory of the process's own making, and not what the kernel calls by a name: [vsyscall], [uprobes].
    else if (name.startsWith('/')) ends.push(Number.parseInt(end, 16));
  }
  return ends;
}

/**
 * Writes into a cave. Its length must be a multiple of eight.
 *
 * In one piece, or where the kernel does not let /proc/PID/mem overrule protections (`proc_mem.force_override=never`,
 * CONFIG_PROC_MEM_NO_FORCE), by requests of ptrace, which always do.
 *
 * @throws SyscallError
 */
export function writeCave(tid: number, memory: Pick<TargetMemory, 'write'>, address: number, bytes: Uint8Array): void {
  try {
    memory.write(address, bytes);
  } catch (error) {
    if (!isErrno(error, 'EIO', 'EPERM', 'EACCES', 'EFAULT')) throw error;
    pokeAll(tid, address, bytes);
  }
}

/** Writes whatever the protection, eight bytes at a time. @throws SyscallError */
export function pokeAll(tid: number, address: number, bytes: Uint8Array): void {
  for (let offset = 0; offset < bytes.byteLength; offset += 8) {
    const failed = poke(tid, address + offset, bytes.subarray(offset, offset + 8));
    if (failed < 0) throw new SyscallError('ptrace', -failed, 'PTRACE_POKEDATA');
  }
}
