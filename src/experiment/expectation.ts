import { FaultlineError } from '../base/error.ts';
import { textOf } from '../base/json.ts';
import type { TargetVerdict } from '../faults/fault.ts';

/** A fault tells in `evidence.missed` what was expected of it and has not happened. */
export function missedExpectation(uid: string, verdicts: readonly TargetVerdict[]): FaultlineError | undefined {
  const missed = verdicts.find(({ evidence }) => evidence['missed'] !== undefined);
  if (missed === undefined) return undefined;
  return new FaultlineError('EXPECTATION_MISSED', `${uid} was undone, but ${textOf(missed.evidence['missed'])}`, {
    hint: `faultline show ${uid} tells what it came near to`,
    details: { uid },
  });
}
