import { readProcessFile } from '../procfs/read.ts';
import { patience } from '../ptrace/patience.ts';
import { type LockLine, parseDescriptorInfo } from './descriptor-info.ts';
import type { DescriptorMove } from './errand.ts';
import type { OverlayLocks } from './overlay-locks.ts';
import type { UserPlan } from './process-plan.ts';
import type { SideKind } from './volume-side.ts';

/*
 * Who has a lock for writing, which is not for long as a rule: a transaction, a line of a log.
 */

/** A descriptor by which a process has a lock for writing. */
export interface WritingDescriptor {
  readonly pid: number;
  readonly tid: number;
  readonly move: DescriptorMove;
}

export interface Writers {
  /** False when it was waited long enough: then it is for ever, as of a file that says who is at work. */
  readonly mayWait: boolean;
  /** Comes back as soon as none of these has a lock for writing, or when it has been long enough. */
  waitFor(writing: readonly WritingDescriptor[]): void;
}

/** In milliseconds, for all who are moved, and how often they are stopped for it. */
const ALL_WAITS_MS = 300;
const ALL_WAITS = 25;

/** @param overlayLocks where fdinfo does not show them */
export function writersOn(side: SideKind, overlayLocks: OverlayLocks | undefined): Writers {
  let leftMs = ALL_WAITS_MS;
  let left = ALL_WAITS;
  const locksOf = ({ pid, tid, move: { descriptor, counterpart } }: WritingDescriptor): readonly LockLine[] => {
    if (side === 'overlay') {
      return overlayLocks?.(pid, [descriptor], () => counterpart.present).get(descriptor.fd) ?? [];
    }
    const bytes = readProcessFile(pid, `task/${tid}/fdinfo/${descriptor.fd}`);
    return (bytes === undefined ? undefined : parseDescriptorInfo(bytes)?.locks) ?? [];
  };
  return {
    get mayWait() {
      return left > 0 && leftMs > 0;
    },
    waitFor(writing) {
      const beginMs = performance.now();
      const waiting = patience(leftMs);
      while (!waiting.isOver && writing.some((one) => locksOf(one).some(isForWriting))) waiting.rest();
      leftMs -= performance.now() - beginMs;
      left -= 1;
    },
  };
}

/** Descriptors that are to be moved, and have such a lock. */
export function writingIn(plans: readonly UserPlan[]): readonly WritingDescriptor[] {
  return plans.flatMap(({ user: { pid }, errands }) =>
    errands.flatMap(({ tid, moves }) =>
      moves
        .filter(
          ({ descriptor, counterpart }) => counterpart.obstacle === undefined && descriptor.locks.some(isForWriting),
        )
        .map((move) => ({ pid, tid, move })),
    ),
  );
}

function isForWriting({ type, mode }: LockLine): boolean {
  return mode === 'WRITE' && (type === 'POSIX' || type === 'OFD' || type === 'FLOCK');
}
