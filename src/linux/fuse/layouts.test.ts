import { describe, expect, test } from 'vitest';
import * as layouts from './layouts.ts';

/** sizeof of the structures as the kernel's headers have them, with parts that follow taken off. */
const sizes: readonly (readonly [layout: { readonly bytes: number }, name: string, bytes: number])[] = [
  [layouts.inHeader, 'fuse_in_header', 40],
  [layouts.outHeader, 'fuse_out_header', 16],
  [layouts.attr, 'fuse_attr', 88],
  [layouts.attrOut, 'fuse_attr_out without attr', 104 - 88],
  [layouts.entryOut, 'fuse_entry_out without attr', 128 - 88],
  [layouts.initIn, 'fuse_init_in without unused', 64 - 44],
  [layouts.initOut, 'fuse_init_out', 64],
  [layouts.forgetIn, 'fuse_forget_in', 8],
  [layouts.batchForgetIn, 'fuse_batch_forget_in', 8],
  [layouts.forgetOne, 'fuse_forget_one', 16],
  [layouts.getattrIn, 'fuse_getattr_in', 16],
  [layouts.setattrIn, 'fuse_setattr_in', 88],
  [layouts.mknodIn, 'fuse_mknod_in', 16],
  [layouts.mkdirIn, 'fuse_mkdir_in', 8],
  [layouts.renameIn, 'fuse_rename_in', 8],
  [layouts.rename2In, 'fuse_rename2_in', 16],
  [layouts.linkIn, 'fuse_link_in', 8],
  [layouts.openIn, 'fuse_open_in', 8],
  [layouts.createIn, 'fuse_create_in', 16],
  [layouts.openOut, 'fuse_open_out', 16],
  [layouts.releaseIn, 'fuse_release_in', 24],
  [layouts.flushIn, 'fuse_flush_in', 24],
  [layouts.readIn, 'fuse_read_in', 40],
  [layouts.writeIn, 'fuse_write_in', 40],
  [layouts.writeOut, 'fuse_write_out', 8],
  [layouts.fsyncIn, 'fuse_fsync_in', 16],
  [layouts.statfsOut, 'fuse_statfs_out', 80],
  [layouts.setxattrIn, 'fuse_setxattr_in', 16],
  [layouts.getxattrIn, 'fuse_getxattr_in', 8],
  [layouts.getxattrOut, 'fuse_getxattr_out', 8],
  [layouts.lkIn, 'fuse_lk_in', 48],
  [layouts.lkOut, 'fuse_lk_out', 24],
  [layouts.interruptIn, 'fuse_interrupt_in', 8],
  [layouts.ioctlIn, 'fuse_ioctl_in', 32],
  [layouts.ioctlOut, 'fuse_ioctl_out', 16],
  [layouts.fallocateIn, 'fuse_fallocate_in', 32],
  [layouts.lseekIn, 'fuse_lseek_in', 24],
  [layouts.lseekOut, 'fuse_lseek_out', 8],
  [layouts.copyFileRangeIn, 'fuse_copy_file_range_in', 56],
  [layouts.copyFileRangeOut, 'fuse_copy_file_range_out', 8],
  [layouts.statxIn, 'fuse_statx_in', 24],
  [layouts.statxOut, 'fuse_statx_out without stat', 288 - 256],
  [layouts.dirent, 'fuse_dirent without name', 24],
  [layouts.backingMap, 'fuse_backing_map', 16],
  [layouts.notifyInvalInodeOut, 'fuse_notify_inval_inode_out', 24],
  [layouts.fileHandle, 'file_handle without f_handle', 8],
  [layouts.flock, 'flock', 32],
];

/** offsetof. */
const offsets: readonly (readonly [what: string, word: number, offset: number])[] = [
  ['fuse_in_header.nodeid', layouts.inHeader.nodeid, 16],
  ['fuse_in_header.pid', layouts.inHeader.pid, 32],
  ['fuse_attr.mode', layouts.attr.mode, 60],
  ['fuse_attr.blksize', layouts.attr.blksize, 80],
  ['fuse_init_out.flags2', layouts.initOut.flags2, 32],
  ['fuse_init_out.max_stack_depth', layouts.initOut.max_stack_depth, 36],
  ['fuse_setattr_in.mode', layouts.setattrIn.mode, 68],
  ['fuse_setattr_in.uid', layouts.setattrIn.uid, 76],
  ['fuse_write_in.flags', layouts.writeIn.flags, 32],
  ['fuse_open_out.backing_id', layouts.openOut.backing_id, 12],
  ['fuse_lk_in.lk_flags', layouts.lkIn.lk_flags, 40],
  ['statx.stx_mode', layouts.statx.mode, 28],
  ['statx.stx_btime', layouts.statx.btime, 80],
  ['statx.stx_mtime', layouts.statx.mtime, 112],
  ['statx.stx_dev_minor', layouts.statx.dev_minor, 140],
  ['statx.stx_mnt_id', layouts.statx.mnt_id, 144],
  ['statfs.f_namelen', layouts.statfs.namelen, 64],
  ['flock.l_start', layouts.flock.start, 8],
  ['flock.l_pid', layouts.flock.pid, 24],
];

describe('structures of the kernel', () => {
  test.each(sizes.map(([layout, name, bytes]) => [name, layout.bytes, bytes] as const))('%s', (_, bytes, expected) => {
    expect(bytes).toBe(expected);
  });

  test.each(offsets)('%s', (_, word, offset) => {
    expect(word * 4).toBe(offset);
  });

  test('an entry is as long as its parts', () => {
    expect(layouts.ENTRY_OUT_BYTES).toBe(128);
  });
});
