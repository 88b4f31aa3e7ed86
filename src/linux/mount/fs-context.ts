import { readSync } from 'node:fs';
import { FaultlineError } from '../../base/error.ts';
import { printable } from '../../base/text.ts';
import { bindSyscall } from '../libc.ts';
import { SyscallError } from '../syscall-error.ts';

/*
 * Making a mount that stands nowhere yet: fsopen(2), fsconfig(2), fsmount(2), Linux 5.2. Flags and commands are those
 * of include/uapi/linux/mount.h.
 */

const fsopen = bindSyscall('fsopen', ['string', 'uint']);
const fsconfig = bindSyscall('fsconfig', ['int', 'uint', 'pointer', 'pointer', 'int']);
const fsmount = bindSyscall('fsmount', ['int', 'uint', 'uint']);

const FSOPEN_CLOEXEC = 1;
const FSMOUNT_CLOEXEC = 1;

/** enum fsconfig_command */
const FSCONFIG_SET_FLAG = 0;
const FSCONFIG_SET_STRING = 1;
const FSCONFIG_CMD_CREATE = 6;

/** How a mount differs from a plain one, by the words that mountinfo and mount(8) have for it. */
const attributeBits = {
  ro: 0x1,
  nosuid: 0x2,
  nodev: 0x4,
  noexec: 0x8,
  noatime: 0x10,
  nodiratime: 0x80,
  nosymfollow: 0x20_0000,
} as const;

export type MountAttribute = keyof typeof attributeBits;

/** Those of the options of a mount (`Mount.options`) that another mount can be given too. */
export function mountAttributes(options: readonly string[]): MountAttribute[] {
  return options.filter((option): option is MountAttribute => Object.hasOwn(attributeBits, option));
}

/** A file system that is about to be made; close it with `closeSync`. @throws SyscallError ENODEV: no such type */
export function openFsContext(type: string): number {
  return fsopen(type, FSOPEN_CLOEXEC);
}

/** Sets an option with a value. @throws SyscallError, FaultlineError HOST_UNSUPPORTED with the kernel's own words */
export function setFsString(context: number, key: string, value: string): void {
  attempt(context, `option ${key}`, () => fsconfig(context, FSCONFIG_SET_STRING, cString(key), cString(value), 0));
}

/** Sets an option that has none. @throws as {@link setFsString} */
export function setFsFlag(context: number, key: string): void {
  attempt(context, `option ${key}`, () => fsconfig(context, FSCONFIG_SET_FLAG, cString(key), null, 0));
}

/** Makes the superblock. @throws as {@link setFsString} */
export function createFs(context: number): void {
  attempt(context, 'making the file system', () => fsconfig(context, FSCONFIG_CMD_CREATE, null, null, 0));
}

/** The mount of a file system that was made, detached from every tree. @throws SyscallError */
export function mountDetached(context: number, attributes: readonly MountAttribute[]): number {
  const bits = attributes.reduce((sum, attribute) => sum | attributeBits[attribute], 0);
  return fsmount(context, FSMOUNT_CLOEXEC, bits);
}

function cString(text: string): Buffer {
  return Buffer.from(`${text}\0`);
}

/** The kernel explains a failure in words where the context is read: "e fuse: Unknown parameter 'x'". */
function attempt(context: number, what: string, call: () => void): void {
  try {
    call();
  } catch (error) {
    const said = error instanceof SyscallError ? kernelMessages(context) : '';
    if (said === '') throw error;
    throw new FaultlineError('HOST_UNSUPPORTED', `the kernel refuses to mount (${what}): ${printable(said)}`, {
      cause: error,
    });
  }
}

/** All messages that are waiting, joined; empty when there are none. */
function kernelMessages(context: number): string {
  const messages: string[] = [];
  const buffer = Buffer.alloc(1024);
  // The kernel keeps eight messages: FC_LOG_SIZE of fs/fs_context.c.
  for (let i = 0; i < 8; i += 1) {
    try {
      messages.push(buffer.toString('utf8', 0, readSync(context, buffer)).trim());
    } catch {
      // ENODATA: that was all.
      break;
    }
  }
  return messages.join('; ');
}
