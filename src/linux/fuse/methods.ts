/**
 * The operations that a fault may be injected into, by the names that Chaos Mesh's IOChaos and its toda use; most are
 * the opcodes of include/uapi/linux/fuse.h in lower case. `readdir` stands for READDIRPLUS, `rename` for RENAME2,
 * `read` for what copy_file_range(2) reads and `write` for what it and fallocate(2) write.
 */
export const fuseMethods = [
  'lookup',
  'forget',
  'getattr',
  'setattr',
  'readlink',
  'mknod',
  'mkdir',
  'unlink',
  'rmdir',
  'symlink',
  'rename',
  'link',
  'open',
  'read',
  'write',
  'flush',
  'release',
  'fsync',
  'opendir',
  'readdir',
  'releasedir',
  'fsyncdir',
  'statfs',
  'setxattr',
  'getxattr',
  'listxattr',
  'removexattr',
  'access',
  'create',
  'getlk',
  'setlk',
  'bmap',
] as const;

export type FuseMethod = (typeof fuseMethods)[number];
