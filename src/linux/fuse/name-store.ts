import { Control, NAME_UNIT, type SharedState } from './shared-state.ts';

/*
 * File names of different lengths in shared memory. They are kept in pieces of 1, 2, 4, 8 or 16 units; a piece that is
 * given back is the next one of its size to be given out. All of it under the mutex of the node table.
 */

const largestSize = 4;

export class NameStore {
  private readonly control: Int32Array;
  private readonly bytes: Uint8Array;
  /** The same memory: a free piece begins with where the next free one is. */
  private readonly links: Int32Array;
  private readonly units: number;

  constructor({ control, names }: Pick<SharedState, 'control' | 'names'>) {
    this.control = control;
    this.bytes = names;
    this.links = new Int32Array(names.buffer, names.byteOffset, names.byteLength >>> 2);
    this.units = Math.floor(names.byteLength / NAME_UNIT);
  }

  /** @returns where the name is kept; 0: there is no room, or it is longer than NAME_MAX */
  keep(name: Uint8Array): number {
    const size = sizeOf(name.length);
    if (size > largestSize) return 0;
    const at = this.takeFree(size) || this.takeNew(size);
    if (at !== 0) this.bytes.set(name, at * NAME_UNIT);
    return at;
  }

  drop(at: number, length: number): void {
    if (at === 0) return;
    const list = Control.FREE_NAMES + sizeOf(length);
    this.links[(at * NAME_UNIT) >>> 2] = this.control[list] as number;
    this.control[list] = at;
  }

  /** A view that holds until the name is dropped. */
  read(at: number, length: number): Uint8Array {
    return this.bytes.subarray(at * NAME_UNIT, at * NAME_UNIT + length);
  }

  equals(at: number, length: number, name: Uint8Array): boolean {
    if (at === 0 || length !== name.length) return false;
    const start = at * NAME_UNIT;
    for (let index = 0; index < length; index += 1) {
      if (this.bytes[start + index] !== name[index]) return false;
    }
    return true;
  }

  private takeFree(size: number): number {
    const at = this.control[Control.FREE_NAMES + size] as number;
    if (at !== 0) this.control[Control.FREE_NAMES + size] = this.links[(at * NAME_UNIT) >>> 2] as number;
    return at;
  }

  private takeNew(size: number): number {
    const at = this.control[Control.NAMES_TOP] as number;
    const top = at + (1 << size);
    if (top > this.units) return 0;
    this.control[Control.NAMES_TOP] = top;
    return at;
  }
}

/** The binary logarithm of the units that a name takes. */
function sizeOf(length: number): number {
  let size = 0;
  while (NAME_UNIT << size < length) size += 1;
  return size;
}
