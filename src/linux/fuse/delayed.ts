import type { Ruling } from './interposer.ts';
import type { Request } from './request.ts';

/** A request that waits for its time. */
export interface Delayed {
  readonly request: Request;
  /** By performance.now() of this thread. */
  readonly dueMs: number;
  /** What is to be different about it when its time has come. */
  readonly ruling: Ruling | undefined;
  /** What the interposer has said of the name in it. */
  readonly nameInterest: number;
  /** How often it was tried already: a lock that somebody else holds. */
  readonly attempts: number;
}

/**
 * The requests that a thread has put off, the next one first: a binary heap, and a table by the numbers that the kernel
 * interrupts them by. What was taken out by its number stays in the heap until its time, and is passed over then.
 */
export class DelayedRequests {
  private readonly heap: Delayed[] = [];
  private readonly waiting = new Map<bigint, Delayed>();

  get size(): number {
    return this.waiting.size;
  }

  add(delayed: Delayed): void {
    this.waiting.set(uniqueOf(delayed.request), delayed);
    this.heap.push(delayed);
    let index = this.heap.length - 1;
    while (index > 0) {
      const parent = (index - 1) >>> 1;
      if (this.due(parent) <= this.due(index)) break;
      this.swap(parent, index);
      index = parent;
    }
  }

  /** When the next one is due; Infinity when there is none. */
  nextDueMs(): number {
    this.dropTaken();
    return this.heap[0]?.dueMs ?? Infinity;
  }

  /** The next one that is due by `nowMs`, which waits no more. */
  takeDue(nowMs: number): Delayed | undefined {
    if (this.nextDueMs() > nowMs) return undefined;
    const first = this.pop();
    if (first !== undefined) this.waiting.delete(uniqueOf(first.request));
    return first;
  }

  /** The one with a number, which waits no more. */
  takeByUnique(unique: bigint): Delayed | undefined {
    const found = this.waiting.get(unique);
    if (found !== undefined) this.waiting.delete(unique);
    return found;
  }

  private dropTaken(): void {
    for (let first = this.heap[0]; first !== undefined && !this.isWaiting(first); first = this.heap[0]) this.pop();
  }

  private isWaiting(delayed: Delayed): boolean {
    // The request's memory may hold another request by now, which waits on its own.
    return this.waiting.get(uniqueOf(delayed.request)) === delayed;
  }

  private pop(): Delayed | undefined {
    const first = this.heap[0];
    const last = this.heap.pop();
    if (last === undefined || this.heap.length === 0) return first;
    this.heap[0] = last;
    for (let index = 0; ; ) {
      const left = 2 * index + 1;
      const smaller = left + 1 < this.heap.length && this.due(left + 1) < this.due(left) ? left + 1 : left;
      if (left >= this.heap.length || this.due(index) <= this.due(smaller)) return first;
      this.swap(index, smaller);
      index = smaller;
    }
  }

  private due(index: number): number {
    return this.heap[index]?.dueMs ?? Infinity;
  }

  private swap(one: number, other: number): void {
    const { heap } = this;
    [heap[one], heap[other]] = [heap[other] as Delayed, heap[one] as Delayed];
  }
}

function uniqueOf(request: Request): bigint {
  return BigInt(request.uniqueLow) | (BigInt(request.uniqueHigh) << 32n);
}
