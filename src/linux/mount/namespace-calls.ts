import { bindSyscall } from '../libc.ts';

/*
 * Going into another mount namespace: unshare(2), setns(2), fchdir(2). include/uapi/linux/sched.h.
 *
 * All of them change the calling thread alone, for as long as it lives: never call them on the main thread.
 */

const unshare = bindSyscall('unshare', ['int']);
const setns = bindSyscall('setns', ['int', 'int']);
const fchdir = bindSyscall('fchdir', ['int']);

/** Root, working directory and umask. */
const CLONE_FS = 0x200;
const CLONE_NEWNS = 0x2_0000;

/** Gives the calling thread a root and a working directory of its own, which setns(2) demands. @throws SyscallError */
export function unshareRoot(): void {
  unshare(CLONE_FS);
}

/**
 * Moves the calling thread into a mount namespace. Its root and working directory are then that namespace's root.
 *
 * @param namespaceFd of `/proc/PID/ns/mnt`
 * @throws SyscallError EPERM: CAP_SYS_ADMIN and CAP_SYS_CHROOT are missing; EINVAL: {@link unshareRoot} was not called
 */
export function enterMountNamespace(namespaceFd: number): void {
  setns(namespaceFd, CLONE_NEWNS);
}

/** Changes the working directory; of this thread alone after {@link unshareRoot}. @throws SyscallError */
export function changeFolder(folderFd: number): void {
  fchdir(folderFd);
}
