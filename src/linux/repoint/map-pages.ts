import { closeSync, openSync, readSync, writeSync } from 'node:fs';
import { bindUnchecked } from '../libc.ts';
import type { TargetMemory } from '../ptrace/traced-process.ts';
import type { MemoryMap } from './memory-maps.ts';

/*
 * The pages of a map that the file does not have: /proc/PID/pagemap, Documentation/admin-guide/mm/pagemap.rst.
 */

const getPageSize = bindUnchecked('getpagesize', 'int', []);

const ENTRY_SIZE = 8;
/** Bits of the upper half of an entry. */
const PRESENT = 0x8000_0000;
const SWAPPED = 0x4000_0000;
/** A page of a file, or of shared memory. */
const OF_FILE = 0x2000_0000;

const CHUNK_PAGES = 65_536;
const RUN_BYTES = 1 << 20;

/** A range of memory, in bytes. */
interface Run {
  readonly start: number;
  readonly length: number;
}

/**
 * Copies what a process has written to a private map, which the file does not know of, to another map of the same size.
 *
 * @returns bytes copied
 * @throws SyscallError EIO: the file has been cut short, so that the pages cannot be there
 */
export function copyPrivatePages(memory: TargetMemory, tid: number, map: MemoryMap, to: number): number {
  let copied = 0;
  for (const { start, length } of runsOf(tid, map, isPrivate)) {
    memory.write(to + (start - map.start), memory.read(start, length));
    copied += length;
  }
  return copied;
}

/**
 * Writes to the file what a process sees in a shared map and the file does not have: for a file system that is dead and
 * will not write it any more.
 *
 * @param fd of the file, open for reading and writing
 * @returns bytes written
 */
export function saveSharedPages(memory: TargetMemory, tid: number, map: MemoryMap, fd: number): number {
  let saved = 0;
  for (const { start, length } of runsOf(tid, map, isPresent)) {
    const offset = map.offset + (start - map.start);
    const there = Buffer.alloc(length);
    const size = readSync(fd, there, 0, length, offset);
    const here = memory.read(start, length).subarray(0, size);
    if (!here.equals(there.subarray(0, size))) saved += writeSync(fd, here, 0, size, offset);
  }
  return saved;
}

function isPrivate(entry: number): boolean {
  return ((entry & PRESENT) !== 0 || (entry & SWAPPED) !== 0) && (entry & OF_FILE) === 0;
}

function isPresent(entry: number): boolean {
  return (entry & PRESENT) !== 0;
}

/** Pages next to each other whose entries are wanted, in runs of at most a mebibyte. */
function* runsOf(tid: number, map: MemoryMap, wanted: (entry: number) => boolean): Generator<Run> {
  const pageSize = getPageSize();
  const pagemap = openSync(`/proc/${tid}/pagemap`, 'r');
  try {
    const pages = (map.end - map.start) / pageSize;
    const entries = Buffer.alloc(Math.min(pages, CHUNK_PAGES) * ENTRY_SIZE);
    for (let first = 0; first < pages; first += CHUNK_PAGES) {
      const start = map.start + first * pageSize;
      const bytes = Math.min(pages - first, CHUNK_PAGES) * ENTRY_SIZE;
      const read = readSync(pagemap, entries, 0, bytes, (start / pageSize) * ENTRY_SIZE);
      yield* runsIn(entries.subarray(0, read), start, pageSize, wanted);
    }
  } finally {
    closeSync(pagemap);
  }
}

function* runsIn(entries: Buffer, start: number, pageSize: number, wanted: (entry: number) => boolean): Generator<Run> {
  let length = 0;
  const count = entries.length / ENTRY_SIZE;
  for (let page = 0; page <= count; page += 1) {
    const isWanted = page < count && wanted(entries.readUInt32LE(page * ENTRY_SIZE + 4));
    if (isWanted) length += pageSize;
    if (length > 0 && (!isWanted || length >= RUN_BYTES)) {
      const end = start + (isWanted ? page + 1 : page) * pageSize;
      yield { start: end - length, length };
      length = 0;
    }
  }
}
