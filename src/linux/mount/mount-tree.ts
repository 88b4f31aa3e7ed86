import { bindSyscall } from '../libc.ts';

/*
 * Where mounts stand: open_tree(2), move_mount(2), Linux 5.2, and umount2(2). Flags are those of
 * include/uapi/linux/mount.h and include/linux/fs.h.
 *
 * move_mount and umount2 work only on mounts of the calling thread's own mount namespace; looking up works on all.
 */

const openTree = bindSyscall('open_tree', ['int', 'string', 'uint']);
const moveMount = bindSyscall('move_mount', ['int', 'string', 'int', 'string', 'uint']);
const umount2 = bindSyscall('umount2', ['string', 'int']);

const OPEN_TREE_CLONE = 0x1;
const OPEN_TREE_CLOEXEC = 0o2000000;
const AT_EMPTY_PATH = 0x1000;
const AT_RECURSIVE = 0x8000;
const MOVE_MOUNT_F_EMPTY_PATH = 0x4;
const MOVE_MOUNT_T_EMPTY_PATH = 0x40;
const MNT_DETACH = 2;

/**
 * A detached copy of the mounts that stand at an open folder and below it.
 *
 * @throws SyscallError EINVAL: the mount may not be copied (unbindable), or is not of this thread's namespace
 */
export function cloneMountTree(fd: number): number {
  return openTree(fd, '', OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | AT_EMPTY_PATH | AT_RECURSIVE);
}

/**
 * Mounts a detached mount on an open folder. Both descriptors stay good: the first is now the root of what stands
 * there, the second goes on meaning the folder below.
 *
 * @throws SyscallError EINVAL: the folder is not of this thread's namespace, or the mount is not detached; ENOTDIR;
 *   ENOENT: the folder was removed; EPERM
 */
export function placeMount(mountFd: number, folderFd: number): void {
  moveMount(mountFd, '', folderFd, '', MOVE_MOUNT_F_EMPTY_PATH | MOVE_MOUNT_T_EMPTY_PATH);
}

/**
 * Takes a mount away, and all that stands on it; those who use it keep it until they are done.
 *
 * @param path of the mount's root, best of all the link of an open descriptor (`/proc/self/fd/7`), which means that
 *   mount and no other that may have been put there since
 * @throws SyscallError EINVAL: no mount, one that is locked, or one of another namespace
 */
export function detachMount(path: string): void {
  umount2(path, MNT_DETACH);
}
