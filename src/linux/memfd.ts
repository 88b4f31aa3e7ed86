import { bindFunction } from './libc.ts';

const memfdCreate = bindFunction('memfd_create', 'int', ['string', 'uint']);

/** include/uapi/linux/memfd.h */
const MFD_CLOEXEC = 1;

/**
 * A file that is in memory alone, and gone with its last descriptor: memfd_create(2).
 *
 * What is written to it counts as shared memory of the writer's cgroup, and not as memory of the writer.
 *
 * @param name for /proc/PID/fd, where it is shown
 * @returns its descriptor
 */
export function createMemoryFile(name: string): number {
  return memfdCreate(name, MFD_CLOEXEC);
}
