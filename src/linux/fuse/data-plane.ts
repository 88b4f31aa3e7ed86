import type { Backings } from './backings.ts';
import type { Callers } from './callers.ts';
import type { FileSystems } from './file-systems.ts';
import type { Interposition } from './interposition.ts';
import type { Backing, Ruling } from './interposer.ts';
import type { LockTable } from './lock-table.ts';
import type { NodeDescriptors } from './node-descriptors.ts';
import type { NodeTable } from './node-table.ts';
import type { Paths } from './paths.ts';
import type { Reply } from './reply.ts';
import type { Request } from './request.ts';
import type { Scratch } from './scratch.ts';
import type { SharedState } from './shared-state.ts';
import type { SystemCalls } from './system-calls.ts';
import type { Agreement } from './negotiation.ts';

/** What one thread serves requests with. All of it is that thread's own, but for what lies in the shared state. */
export interface DataPlane {
  readonly agreement: Agreement;
  readonly shared: SharedState;
  readonly calls: SystemCalls;
  readonly scratch: Scratch;
  readonly reply: Reply;
  readonly table: NodeTable;
  readonly descriptors: NodeDescriptors;
  readonly fileSystems: FileSystems;
  readonly paths: Paths;
  readonly interposition: Interposition;
  readonly callers: Callers;
  readonly backings: Backings;
  readonly locks: LockTable;
  /** What lies below an open file, for faults that answer by themselves. */
  readonly backingOf: (file: number) => Backing;
  /** What is to be different about the request that is being served. */
  ruling: Ruling | undefined;
  /** What the interposer has said of the name in it. */
  nameInterest: number;
  /** How often it was tried before. */
  attempts: number;
}

/**
 * Serves a request of one kind.
 *
 * @returns how many bytes it has written behind the header of the answer, or a negative errno, or one of {@link Answer}
 */
export type Handler = (plane: DataPlane, request: Request) => number;

/** What is not an answer. No errno has such a number: MAX_ERRNO of include/linux/err.h is 4095. */
export const Answer = Object.freeze({
  /** The kernel waits for none. */
  NONE: -10_000,
  /** To be tried again in a moment. */
  RETRY: -10_001,
});
