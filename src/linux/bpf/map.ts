import { closeSync } from 'node:fs';
import { isErrno } from '../syscall-error.ts';
import { attributes, bpf, BpfCommand, stableCopy, stableMemory } from './system-call.ts';

/*
 * Maps: what programs and whoever holds a descriptor share. Keys and values are bytes, little-endian numbers as the
 * programs write them.
 */

/** enum bpf_map_type */
const mapTypes = { hash: 1, array: 2, cgroupArray: 8, lruHash: 9, ringBuffer: 27 } as const;

export type BpfMapType = keyof typeof mapTypes;

export interface BpfMap {
  readonly fd: number;
  readonly type: BpfMapType;
  /** Bytes; 0 for a ring buffer. */
  readonly keySize: number;
  readonly valueSize: number;
  /** For a ring buffer: how many bytes it holds, a power of two of whole pages. */
  readonly maxEntries: number;
}

/** BPF_OBJ_NAME_LEN, with the NUL. */
const nameSize = 16;

/** The name as the kernel takes it: letters, digits and underscores. */
export function objectName(name: string): Buffer {
  return Buffer.from(name.replaceAll(/[^A-Za-z0-9_]/g, '_').slice(0, nameSize - 1), 'latin1');
}

/**
 * BPF_MAP_CREATE. Close it with {@link closeMap}; it lives as long as a descriptor or a loaded program uses it.
 *
 * @throws SyscallError EPERM; E2BIG, ENOMEM: too large; EINVAL: the kernel has no such type
 */
export function createMap(name: string, shape: Omit<BpfMap, 'fd'>): BpfMap {
  const { type, keySize, valueSize, maxEntries } = shape;
  const created = attributes(48, [
    [0, 32, mapTypes[type]],
    [4, 32, keySize],
    [8, 32, valueSize],
    [12, 32, maxEntries],
  ]);
  objectName(name).copy(created.bytes, 28);
  return Object.freeze({ ...shape, fd: bpf(BpfCommand.MAP_CREATE, created) });
}

/**
 * A map that another process has made, by its number.
 *
 * @returns undefined: there is none of that number any more
 */
export function openMap(id: number, shape: Omit<BpfMap, 'fd'>): BpfMap | undefined {
  try {
    return Object.freeze({ ...shape, fd: bpf(BpfCommand.MAP_GET_FD_BY_ID, attributes(12, [[0, 32, id]])) });
  } catch (error) {
    if (isErrno(error, 'ENOENT')) return undefined;
    throw error;
  }
}

export function closeMap({ fd }: BpfMap): void {
  closeSync(fd);
}

/** struct bpf_map_info begins with type and id, struct bpf_prog_info too. */
const infoIdOffset = 4;
const infoSize = 80;

/** The number by which other processes find a map or a program: BPF_OBJ_GET_INFO_BY_FD. */
export function objectId(fd: number): number {
  const info = stableMemory(infoSize);
  bpf(
    BpfCommand.OBJ_GET_INFO_BY_FD,
    attributes(16, [
      [0, 32, fd],
      [4, 32, info.length],
      [8, 64, info],
    ]),
  );
  return info.readUInt32LE(infoIdOffset);
}

/** enum: BPF_ANY */
const any = 0n;

/** BPF_MAP_UPDATE_ELEM. @throws SyscallError E2BIG: it is full */
export function updateMap(map: BpfMap, key: Uint8Array, value: Uint8Array): void {
  checkSizes(map, key, value);
  bpf(
    BpfCommand.MAP_UPDATE_ELEM,
    attributes(32, [
      [0, 32, map.fd],
      [8, 64, stableCopy(key)],
      [16, 64, stableCopy(value)],
      [24, 64, any],
    ]),
  );
}

/** BPF_MAP_LOOKUP_ELEM: a copy of the value; undefined where there is none. */
export function lookupMap(map: BpfMap, key: Uint8Array): Buffer | undefined {
  checkSizes(map, key);
  const value = stableMemory(map.valueSize);
  try {
    bpf(
      BpfCommand.MAP_LOOKUP_ELEM,
      attributes(32, [
        [0, 32, map.fd],
        [8, 64, stableCopy(key)],
        [16, 64, value],
      ]),
    );
    return value;
  } catch (error) {
    if (isErrno(error, 'ENOENT')) return undefined;
    throw error;
  }
}

/** BPF_MAP_DELETE_ELEM. @returns false where there was none */
export function deleteFromMap(map: BpfMap, key: Uint8Array): boolean {
  checkSizes(map, key);
  try {
    bpf(
      BpfCommand.MAP_DELETE_ELEM,
      attributes(32, [
        [0, 32, map.fd],
        [8, 64, stableCopy(key)],
      ]),
    );
    return true;
  } catch (error) {
    if (isErrno(error, 'ENOENT')) return false;
    throw error;
  }
}

/** A key and its value. */
export type MapEntry = readonly [key: Buffer, value: Buffer];

/** How many entries one call of BPF_MAP_LOOKUP_BATCH asks for. */
const batchSize = 1024;

/**
 * All entries, as far as they stay while they are read: BPF_MAP_LOOKUP_BATCH, Linux 5.6.
 *
 * @throws SyscallError ENOSPC: too many of a hash map's keys share a bucket
 */
export function readMap(map: BpfMap): readonly MapEntry[] {
  const entries: MapEntry[] = [];
  // What the kernel calls a batch is opaque to us, and for array maps and hash maps four bytes long.
  let from: Buffer | undefined;
  for (;;) {
    const next = stableMemory(Math.max(4, map.keySize));
    const [keys, values] = [stableMemory(batchSize * map.keySize), stableMemory(batchSize * map.valueSize)];
    const asked = attributes(56, [
      [0, 64, from ?? 0n],
      [8, 64, next],
      [16, 64, keys],
      [24, 64, values],
      [32, 32, batchSize],
      [36, 32, map.fd],
    ]);
    const isLast = lookupBatch(asked);
    const found = asked.bytes.readUInt32LE(32);
    for (let index = 0; index < found; index += 1) {
      entries.push([part(keys, index, map.keySize), part(values, index, map.valueSize)]);
    }
    if (isLast) return entries;
    from = next;
  }
}

/** @returns true when there is nothing after this batch */
function lookupBatch(asked: ReturnType<typeof attributes>): boolean {
  try {
    bpf(BpfCommand.MAP_LOOKUP_BATCH, asked);
    return false;
  } catch (error) {
    if (isErrno(error, 'ENOENT')) return true;
    throw error;
  }
}

function part(bytes: Buffer, index: number, size: number): Buffer {
  return bytes.subarray(index * size, (index + 1) * size);
}

/** The kernel reads and writes as many bytes as the map's shape says, whatever it is given. */
function checkSizes({ keySize, valueSize }: BpfMap, key: Uint8Array, value?: Uint8Array): void {
  if (key.length !== keySize) throw new RangeError(`the key has ${key.length} bytes and not ${keySize}`);
  if (value !== undefined && value.length !== valueSize) {
    throw new RangeError(`the value has ${value.length} bytes and not ${valueSize}`);
  }
}

/** A key or value of one 32-bit number. */
export function u32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32LE(value);
  return bytes;
}
