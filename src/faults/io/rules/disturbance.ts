import type { FileAttributes, Operation } from '../../../linux/fuse/interposer.ts';

/** What is to be different about an operation, while the rules that it falls under add to it. */
export interface Draft {
  /** Delays add up. */
  delayMs: number;
  /** The first one stands. */
  errno: number;
  /** The smallest stands. */
  maxBytes: number;
  /** Each rule changes what the ones before have left. */
  alterData: ((bytes: Uint8Array, offset: number) => void) | undefined;
  alterAttributes: ((attributes: FileAttributes) => void) | undefined;
}

const nothing: Draft = Object.freeze({
  delayMs: 0,
  errno: 0,
  maxBytes: Infinity,
  alterData: undefined,
  alterAttributes: undefined,
});

export function emptyDraft(): Draft {
  return { ...nothing };
}

/** A draft to be used again. */
export function clearDraft(draft: Draft): void {
  Object.assign(draft, nothing);
}

/** One way to disturb operations, made from its spec for one rule. */
export interface Disturbance {
  /** Does it mean something for an operation that fails? */
  readonly evenIfItFails: boolean;
  /** Is there anything in this operation that it could change? */
  applies(operation: Operation): boolean;
  /**
   * @param number the operation's among those that the rule matched, from 1: what is left to chance depends on it
   */
  disturb(draft: Draft, operation: Operation, number: number): void;
}
