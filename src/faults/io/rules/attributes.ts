import type { FileAttributes } from '../../../linux/fuse/interposer.ts';
import { type AttributesSpec, fileKinds, type Timespec } from '../rule.ts';
import type { Disturbance } from './disturbance.ts';

/** S_IFMT of include/uapi/linux/stat.h: the bits of a mode that tell the type of a file. */
const typeBits = 0o170_000;
const permissionBits = 0o7777;

const nanoseconds = ({ sec, nsec }: Timespec): bigint => BigInt(sec) * 1_000_000_000n + BigInt(nsec);

const large = (value: string | undefined): bigint | undefined => (value === undefined ? undefined : BigInt(value));

const time = (value: Timespec | undefined): bigint | undefined =>
  value === undefined ? undefined : nanoseconds(value);

/** What to set, under the names of {@link FileAttributes}; without what stays. */
function changesOf({ attr }: AttributesSpec): Partial<FileAttributes> {
  const changes = {
    inode: large(attr.ino),
    size: large(attr.size),
    blocks: large(attr.blocks),
    atimeNs: time(attr.atime),
    mtimeNs: time(attr.mtime),
    ctimeNs: time(attr.ctime),
    links: attr.nlink,
    uid: attr.uid,
    gid: attr.gid,
    rdev: attr.rdev,
  };
  return Object.fromEntries(Object.entries(changes).filter(([, value]) => value !== undefined));
}

/** Files look different to stat(2). The files themselves are left as they are. */
export function attributes(spec: AttributesSpec): Disturbance {
  const { kind, perm } = spec.attr;
  const changes = changesOf(spec);
  const kept = (kind === undefined ? typeBits : 0) | (perm === undefined ? permissionBits : 0);
  const set = (kind === undefined ? 0 : fileKinds[kind]) | (perm ?? 0);

  function alter(target: FileAttributes): void {
    Object.assign(target, changes);
    target.mode = (target.mode & kept) | set;
  }

  return {
    evenIfItFails: false,
    // A mount whose root is no folder would be of no use to anybody, and could not be looked into to find out why.
    applies: (operation) => kind === undefined || operation.path() !== '/',
    disturb(draft) {
      const before = draft.alterAttributes;
      draft.alterAttributes = (target) => {
        before?.(target);
        alter(target);
      };
    },
  };
}
