import { closeSync, openSync, readFileSync, readSync } from 'node:fs';
import { isErrno } from '../syscall-error.ts';
import type { TargetMemory } from './traced-process.ts';

/** The vDSO as the kernel maps it into every process of our ABI: vdso(7). */
interface Vdso {
  readonly image: Buffer;
}

/** getauxval(3), include/uapi/linux/auxvec.h: pairs of eight bytes each. */
const AT_SYSINFO_EHDR = 33n;
const AUXV_BYTES = 1024;

let own: Vdso | undefined;

function ownVdso(): Vdso | undefined {
  if (own !== undefined) return own;
  const line = /^([0-9a-f]+)-([0-9a-f]+) r-xp .*\[vdso\]$/mu.exec(readFileSync('/proc/self/maps', 'latin1'));
  if (line === null) return undefined;
  const [start = 0, end = 0] = line.slice(1).map((text) => Number.parseInt(text, 16));
  const image = Buffer.alloc(end - start);
  readAt('/proc/self/mem', image, start);
  own = Object.freeze({ image });
  return own;
}

function readAt(file: string, into: Buffer, position: number): number {
  const fd = openSync(file, 'r');
  try {
    return readSync(fd, into, 0, into.length, position);
  } finally {
    closeSync(fd);
  }
}

function addressInAuxv(pid: number, tid: number): number | undefined {
  const auxv = Buffer.alloc(AUXV_BYTES);
  const length = readAt(`/proc/${pid}/task/${tid}/auxv`, auxv, 0);
  for (let at = 0; at + 16 <= length; at += 16) {
    if (auxv.readBigUInt64LE(at) === AT_SYSINFO_EHDR) return Number(auxv.readBigUInt64LE(at + 8));
  }
  return undefined;
}

/**
 * Where the vDSO of a process ends, found without reading its list of mappings, which takes long where there are many.
 *
 * What lies at the address that the kernel has told the program is compared with our own: the same kernel maps the same
 * bytes everywhere, and as executable.
 *
 * @returns its end and its last bytes; undefined where it is not there, or not the same
 */
export function findVdso(
  pid: number,
  tid: number,
  memory: Pick<TargetMemory, 'readInto'>,
  tailBytes: number,
): { readonly end: number; readonly tail: Buffer } | undefined {
  try {
    const vdso = ownVdso();
    const address = addressInAuxv(pid, tid);
    if (vdso === undefined || address === undefined || address === 0) return undefined;
    const { image } = vdso;
    const theirs = Buffer.alloc(image.length);
    memory.readInto(address, theirs);
    const used = usedBytes(image);
    if (image.compare(theirs, 0, used, 0, used) !== 0) return undefined;
    return { end: address + image.length, tail: theirs.subarray(-tailBytes) };
  } catch (error) {
    if (isErrno(error, 'EIO', 'EPERM', 'EACCES', 'ENOENT', 'ESRCH')) return undefined;
    throw error;
  }
}

/** How many bytes there are up to the last one that is not zero. */
export function usedBytes(bytes: Uint8Array): number {
  let used = bytes.byteLength;
  while (used > 0 && bytes[used - 1] === 0) used -= 1;
  return used;
}
