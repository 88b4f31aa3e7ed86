import { readdirSync, readlinkSync } from 'node:fs';
import { isErrno } from '../syscall-error.ts';

/**
 * What the open descriptors of this process stand for, as /proc shows it: those with this in it. Not all: other threads
 * of ours, which serve what earlier tests have asked for, may open and close some meanwhile.
 */
export function openDescriptors(of: string): readonly string[] {
  return readdirSync('/proc/self/fd').flatMap((fd) => {
    const link = linkOf(fd);
    return link?.includes(of) ? [link] : [];
  });
}

/** Undefined when it is closed, as that is by which the folder was read. */
function linkOf(fd: string): string | undefined {
  try {
    return readlinkSync(`/proc/self/fd/${fd}`);
  } catch (error) {
    if (isErrno(error, 'ENOENT')) return undefined;
    throw error;
  }
}
