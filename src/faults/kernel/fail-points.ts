import { FaultlineError } from '../../base/error.ts';
import { printable } from '../../base/text.ts';
import { type ErrnoName, Errno } from '../../linux/errno.ts';
import type { ErrorType } from '../../linux/error-injection.ts';
import type { FaultCapability } from '../../linux/fault-injection.ts';

/*
 * Where the kernel asks whether it should fail: mm/failslab.c, mm/fail_page_alloc.c, block/blk-core.c.
 */

/** In the order of KernelChaos's numbers. */
export const failTypes = ['slab', 'page', 'bio'] as const;

export type FailType = (typeof failTypes)[number];

export interface FailPoint {
  readonly function: string;
  readonly result: bigint;
  /** Which parameter are the flags by which memory is asked for. */
  readonly gfpParameter: number | null;
  /** What whoever asked is told, in words. */
  readonly fails: string;
  /** The option without which newer kernels have no such function; null: it is always there. */
  readonly option: string | null;
  /** Its folder in debugfs. */
  readonly capability: FaultCapability;
}

export const failPoints: Readonly<Record<FailType, FailPoint>> = {
  slab: {
    function: 'should_failslab',
    result: BigInt(-Errno.ENOMEM),
    gfpParameter: 1,
    fails: 'allocations of kernel memory (slab) fail, mostly seen as ENOMEM',
    option: 'FAILSLAB',
    capability: 'failslab',
  },
  page: {
    function: 'should_fail_alloc_page',
    result: 1n,
    gfpParameter: 0,
    fails: 'allocations of pages fail, mostly seen as ENOMEM',
    option: 'FAIL_PAGE_ALLOC',
    capability: 'fail_page_alloc',
  },
  bio: {
    function: 'should_fail_bio',
    result: BigInt(-Errno.EIO),
    gfpParameter: null,
    fails: 'block I/O fails with EIO',
    option: null,
    capability: 'fail_make_request',
  },
};

/** @throws {FaultlineError} ARGUMENT_INVALID */
export function failTypeNamed(given: string | number): FailType {
  const text = String(given).trim().toLowerCase();
  const found = failTypes.find((name, index) => name === text || String(index) === text);
  if (found !== undefined) return found;
  throw new FaultlineError('ARGUMENT_INVALID', `there is no fail type "${printable(String(given).slice(0, 40))}"`, {
    hint: 'there is: slab (0), page (1), bio (2)',
  });
}

/** What a function of the error-injection list returns so that it has failed in this way. */
export function failureResult(type: ErrorType, errno: ErrnoName | null): bigint {
  switch (type) {
    case 'NULL':
      return 0n;
    case 'TRUE':
      return 1n;
    default:
      return BigInt(-Errno[errno ?? 'ENOMEM']);
  }
}
