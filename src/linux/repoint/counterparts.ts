import { descriptionSet } from './description-set.ts';
import { closeAnyhow, fetchDescriptor, O_PATH, openThread } from './descriptor-calls.ts';
import type { DescriptorInfo } from './descriptor-info.ts';
import { statusOf } from './file-status.ts';
import type { DescriptorRef } from './kcmp.ts';
import { descriptorObstacle, type Obstacle } from './kept.ts';
import { attempt, type Door, reopen } from './reopen.ts';
import type { OpenDescriptor } from './volume-use.ts';

/*
 * For each open file description on one side of the volume, one on the other side that can take its place. They are
 * opened in this process, so that nothing has to be done in the targets for it, which may have no right to open them,
 * and so that one description serves all who share one.
 */

/** An open file description of ours that is to take the place of one that processes have. As a ref it is the latter. */
export interface Counterpart extends DescriptorRef {
  /** Our descriptor of the description that processes have now. */
  readonly present: number;
  /** Our descriptor of the one on the other side. */
  readonly fresh: number;
  /** It was opened by somebody before us, and may be in use. */
  readonly adopted: boolean;
  /** The description is a handle only (O_PATH): it has no position and no locks. */
  readonly pathOnly: boolean;
  /** As the link of /proc showed it. */
  readonly path: string;
  /** As it was opened: F_SETFL may change some of them. */
  flags: number;
  /** In bytes, as far as we have set it; -1 for not yet known. */
  position: bigint;
  /** What has turned up that speaks against it. */
  obstacle: Obstacle | undefined;
}

export interface Counterparts {
  /** The counterpart of a descriptor's description, the same for all who share it; opened when first asked for. */
  of(tid: number, one: OpenDescriptor): Counterpart | Obstacle;
  /** Whoever asks for the counterpart of what was just compared with it gets it without another comparison. */
  remember(one: OpenDescriptor, counterpart: Counterpart): void;
  /** The counterpart that was made for a descriptor's description, if one was. */
  known(ref: DescriptorRef, file: FileKey): Counterpart | undefined;
  /** A descriptor of ours for the description of somebody's, to be closed by the caller. */
  fetch(ref: DescriptorRef): number | Obstacle;
  /** Takes a description that somebody has as the counterpart of another. */
  adopt(present: DescriptorRef, info: DescriptorInfo, fresh: DescriptorRef): void;
  /** Closes all descriptors. */
  close(): void;
}

export interface FileKey {
  readonly mountId: number;
  readonly inode: bigint;
}

function keyOf({ mountId, inode }: FileKey): string {
  return `${mountId}:${inode}`;
}

export function openCounterparts(door: Door): Counterparts {
  const descriptions = descriptionSet<Counterpart>();
  const remembered = new WeakMap<OpenDescriptor, Counterpart>();
  const { fetch, letGo } = fetcher();

  const create = (tid: number, one: OpenDescriptor): Counterpart | Obstacle => {
    const present = fetch({ tid, fd: one.fd });
    if (typeof present !== 'number') return present;
    const fresh = reopen(door, one, one.flags, () => statusOf(present, { ask: true }).inode);
    if (typeof fresh === 'number') return add({ present, fresh }, one, one.path, false);
    closeAnyhow(present);
    return fresh;
  };
  const add = (
    files: Pick<Counterpart, 'present' | 'fresh'>,
    info: FileKey & { readonly flags: number },
    path: string,
    adopted: boolean,
  ): Counterpart => {
    const { flags } = info;
    const pathOnly = (flags & O_PATH) !== 0;
    const ref = { tid: process.pid, fd: files.present };
    const position = adopted ? -1n : 0n;
    const made = { ...ref, ...files, adopted, pathOnly, path, flags, position, obstacle: undefined };
    const present = descriptions.add(made, keyOf(info));
    if (present !== made) closeAll(files);
    return present;
  };

  return {
    of(tid, one) {
      const obstacle = descriptorObstacle(one, door.to.kind, door.rescue?.has(one.inode));
      if (obstacle !== undefined) return obstacle;
      return remembered.get(one) ?? descriptions.find({ tid, fd: one.fd }, keyOf(one)) ?? create(tid, one);
    },
    remember: (one, counterpart) => remembered.set(one, counterpart),
    known: (ref, file) => descriptions.find(ref, keyOf(file)),
    fetch,
    adopt(ref, { inode, mountId, flags }, freshRef) {
      const present = fetch(ref);
      const fresh = fetch(freshRef);
      if (typeof present === 'number' && typeof fresh === 'number' && inode !== undefined) {
        add({ present, fresh }, { inode, mountId, flags }, '', true);
        return;
      }
      for (const fd of [present, fresh]) if (typeof fd === 'number') closeAnyhow(fd);
    },
    close() {
      for (const one of descriptions.items) closeAll(one);
      letGo();
    },
  };
}

/** Fetches descriptors of threads, of which it keeps hold. */
function fetcher(): { readonly fetch: (ref: DescriptorRef) => number | Obstacle; readonly letGo: () => void } {
  const threads = new Map<number, number>();
  return {
    fetch: ({ tid, fd }) =>
      attempt(() => {
        const threadFd = threads.get(tid) ?? openThread(tid);
        threads.set(tid, threadFd);
        return fetchDescriptor(threadFd, fd);
      }),
    letGo: () => {
      for (const fd of threads.values()) closeAnyhow(fd);
    },
  };
}

function closeAll({ present, fresh }: Pick<Counterpart, 'present' | 'fresh'>): void {
  closeAnyhow(present);
  closeAnyhow(fresh);
}
