import type { ErrorCode } from '../../base/error-codes.ts';
import type { Placed, PlaceTask, Removed, RemoveTask } from './placing.ts';

/* What the thread that goes into another mount namespace and whoever sends it say to each other. */

/** What a thread is to do, and where. */
export interface HopOrder {
  /** A process of that namespace; its root folder is where paths begin. */
  readonly pid: number;
  /** Inode number of the namespace, so that a process that has taken the PID since is noticed. */
  readonly mountNamespace: number;
  readonly task: PlaceTask | RemoveTask;
  /** An Int32 that says who was first, see {@link Gate}. */
  readonly gate: Int32Array;
}

/** Where the thread and whoever waits for it agree whether it is still to be done. */
export const Gate = Object.freeze({ open: 0, passed: 1, closed: 2 });

export type HopAnswer = Placed | Removed;

export type HopFailure =
  | { readonly kind: 'syscall'; readonly syscall: string; readonly errno: number }
  | { readonly kind: 'expected'; readonly code: ErrorCode; readonly message: string; readonly hint: string | undefined }
  | { readonly kind: 'bug'; readonly error: unknown };

/** What comes back. */
export type HopMessage = { readonly answer: HopAnswer } | { readonly failure: HopFailure };
