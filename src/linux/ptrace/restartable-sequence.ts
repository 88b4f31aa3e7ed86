/**
 * Restartable sequences, rseq(2): code that the kernel breaks off when it takes the processor away, by sending the
 * thread to the sequence's own abort handler when it comes back. include/uapi/linux/rseq.h.
 */
import type { TraceArchitecture } from './arch.ts';
import { peek, rseqAddress } from './requests.ts';

/** struct rseq: rseq_cs, the sequence that the thread is in, or was. */
const RSEQ_CS_AT = 8;
/** struct rseq_cs: where it begins, how long it is, and where to go when it is broken off. */
const START_AT = 8;
const LENGTH_AT = 16;
const ABORT_AT = 24;

/**
 * Breaks off the sequence that a stopped thread is in, as the kernel would do. It would not any more after the thread
 * has run elsewhere: it sees it outside of the sequence there and forgets about it.
 *
 * @param registers of the thread, which are changed here, and not yet in the thread
 */
export function abortSequence(tid: number, architecture: TraceArchitecture, registers: Buffer): void {
  const rseq = rseqAddress(tid);
  if (rseq === 0) return;
  const sequence = Number(peek(tid, rseq + RSEQ_CS_AT) ?? 0n);
  if (sequence === 0) return;
  const [start, length, abort] = [START_AT, LENGTH_AT, ABORT_AT].map((at) => peek(tid, sequence + at));
  if (start === undefined || length === undefined || abort === undefined) return;
  const inside = BigInt(architecture.programCounter(registers)) - start;
  if (inside >= 0n && inside < length) architecture.setProgramCounter(registers, Number(abort));
}
