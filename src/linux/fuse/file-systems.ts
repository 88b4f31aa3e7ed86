import { constants } from 'node:fs';
import { fileHandle, statfs, statx } from './layouts.ts';
import { lock, unlock } from './mutex.ts';
import type { Scratch } from './scratch.ts';
import { Control, HANDLE_WORDS, MAX_FILE_SYSTEMS, type SharedState } from './shared-state.ts';
import type { SystemCalls } from './system-calls.ts';

const { O_RDONLY, O_NONBLOCK, S_IFDIR, S_IFMT, S_IFREG } = constants;
export const O_CLOEXEC = 0x8_0000;
export const O_PATH = 0x20_0000;
/** fcntl.h. */
export const AT_EMPTY_PATH = 0x1000;

export const FileSystemFlag = Object.freeze({
  /** Its files can be opened by handle. */
  HANDLES: 1,
  /** close(2) may fail on it: what was written is sent to its server only then. */
  FLUSHES: 2,
  /** Nothing on it takes longer than memory does. */
  IN_MEMORY: 4,
});

/** include/uapi/linux/magic.h: ext4, tmpfs, XFS, Btrfs and F2FS, on which close(2) has nothing to do. */
const TMPFS_MAGIC = 0x0102_1994;
const localFileSystems: ReadonlySet<number> = new Set([0xef53, TMPFS_MAGIC, 0x5846_5342, 0x9123_683e, 0xf2f5_2010]);

/**
 * The file systems, and mounts of them, that the files of a volume lie on: a folder may have others mounted in it.
 *
 * Two mounts of one file system count as two: one of them may be read-only. Two device numbers of one mount count as
 * two as well, since Btrfs gives the same inode numbers in each of its subvolumes.
 */
export class FileSystems {
  private readonly shared: SharedState;
  private readonly calls: SystemCalls;
  private readonly scratch: Scratch;

  constructor(shared: SharedState, calls: SystemCalls, scratch: Scratch) {
    this.shared = shared;
    this.calls = calls;
    this.scratch = scratch;
  }

  /**
   * That of the file which statx(2) was last asked about.
   *
   * @param descriptor of the file
   * @returns its index; -1: there are too many
   */
  indexOf(descriptor: number): number {
    const known = this.find();
    return known >= 0 ? known : this.register(descriptor);
  }

  /** Like {@link indexOf}, for a file that is not open. @returns -1: it was not seen yet */
  known(): number {
    return this.find();
  }

  has(index: number, flag: number): boolean {
    return ((this.shared.fileSystems.flags[index] as number) & flag) !== 0;
  }

  /** For open_by_handle_at(2); -1: there is none. */
  mountDescriptor(index: number): number {
    return this.shared.fileSystems.mountDescriptor[index] as number;
  }

  /**
   * Puts the handle of an open file at `scratch.handle`.
   *
   * @returns whether it has one that is short enough
   */
  encodeHandle(descriptor: number): boolean {
    const { region, handleWord, handle, argument, empty } = this.scratch;
    region.put(handleWord + fileHandle.handle_bytes, HANDLE_WORDS * 4);
    return this.calls.nameToHandleAt(descriptor, empty, handle, argument, AT_EMPTY_PATH) === 0;
  }

  private find(): number {
    const { fileSystems, control } = this.shared;
    const { scratch } = this;
    const count = Atomics.load(control, Control.FILE_SYSTEMS);
    for (let index = 0; index < count; index += 1) {
      if (
        fileSystems.mountIdLow[index] === scratch.stat(statx.mnt_id) &&
        fileSystems.deviceMinor[index] === scratch.stat(statx.dev_minor) &&
        fileSystems.deviceMajor[index] === scratch.stat(statx.dev_major) &&
        fileSystems.mountIdHigh[index] === scratch.stat(statx.mnt_id + 1)
      ) {
        return index;
      }
    }
    return -1;
  }

  private register(descriptor: number): number {
    const { control, fileSystems } = this.shared;
    const { scratch } = this;
    lock(control, Control.TABLE_MUTEX);
    try {
      const known = this.find();
      if (known >= 0) return known;
      const index = control[Control.FILE_SYSTEMS] as number;
      if (index >= MAX_FILE_SYSTEMS) return -1;
      const mount = this.openMount(descriptor);
      fileSystems.mountIdLow[index] = scratch.stat(statx.mnt_id);
      fileSystems.mountIdHigh[index] = scratch.stat(statx.mnt_id + 1);
      fileSystems.deviceMajor[index] = scratch.stat(statx.dev_major);
      fileSystems.deviceMinor[index] = scratch.stat(statx.dev_minor);
      fileSystems.mountDescriptor[index] = mount;
      const handles = mount >= 0 && this.opensByHandle(descriptor, mount);
      fileSystems.flags[index] = (handles ? FileSystemFlag.HANDLES : 0) | this.kindOf(descriptor);
      Atomics.store(control, Control.FILE_SYSTEMS, index + 1);
      return index;
    } finally {
      unlock(control, Control.TABLE_MUTEX);
    }
  }

  /** open_by_handle_at(2) wants a descriptor without O_PATH, and opening a device or a FIFO does something. */
  private openMount(descriptor: number): number {
    const type = this.scratch.mode() & S_IFMT;
    if (type !== S_IFDIR && type !== S_IFREG) return -1;
    const path = this.scratch.procPath(descriptor);
    return this.calls.openat(-1, path, O_RDONLY | O_NONBLOCK | O_CLOEXEC, 0);
  }

  /** Tries it: overlayfs gives handles that cannot be opened, and CAP_DAC_READ_SEARCH may be missing. */
  private opensByHandle(descriptor: number, mount: number): boolean {
    if (!this.encodeHandle(descriptor)) return false;
    const opened = this.calls.openByHandleAt(mount, this.scratch.handle, O_PATH | O_CLOEXEC);
    if (opened < 0) return false;
    this.calls.close(opened);
    return true;
  }

  /** @returns FileSystemFlag */
  private kindOf(descriptor: number): number {
    const { argument, argumentWord, region } = this.scratch;
    if (this.calls.fstatfs(descriptor, argument) < 0) return FileSystemFlag.FLUSHES;
    const magic = region.u32(argumentWord + statfs.type);
    if (magic === TMPFS_MAGIC) return FileSystemFlag.IN_MEMORY;
    return localFileSystems.has(magic) ? 0 : FileSystemFlag.FLUSHES;
  }
}
