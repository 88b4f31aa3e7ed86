import { FaultlineError } from '../base/error.ts';
import { count, listed, printable } from '../base/text.ts';
import type { TargetVerdict } from '../faults/fault.ts';
import { missedExpectation } from './expectation.ts';
import type { Injection } from './injection.ts';
import type { Recovery } from './recovery.ts';

/*
 * What a result lacks of what was asked for, as the error that front doors tell and the audit log keeps. The work is
 * done and in the journal all the same.
 */

function seenOf(verdicts: readonly TargetVerdict[]): string {
  const phrases = verdicts.map(({ target, seen }) => `${printable(target.label)} ${printable(seen)}`);
  return listed(phrases, 3);
}

/** What of an injection decides whether it did what was asked. */
interface Concluded {
  readonly record: Injection['record'];
  readonly verdicts: readonly TargetVerdict[];
}

/**
 * INJECTION_FAILED: nothing took effect, or it was never injected whole; INJECTION_UNPROVEN: some targets did not do
 * what was asked.
 */
export function attackShortfall({ record, verdicts }: Concluded): FaultlineError | undefined {
  const { uid } = record;
  if (record.state === 'failed') {
    const refused = verdicts.some(({ evidence }) => evidence['errno'] === 'EPERM');
    return new FaultlineError('INJECTION_FAILED', `nothing took effect: ${seenOf(verdicts)}`, {
      hint: refused ? 'run as root, or as the user whose process it is' : `faultline show ${uid}`,
      details: { uid },
    });
  }
  // Only who asks again sees this: the first to ask was told why, or his process was killed.
  if (record.injectedBootMs === null) {
    const sentence = `${uid} was broken off before it was injected whole; its state is ${record.state}`;
    return new FaultlineError('INJECTION_FAILED', sentence, {
      hint: `faultline show ${uid}; what can be undone: faultline recover ${uid}`,
      details: { uid },
    });
  }
  const bad = verdicts.filter(({ verdict }) => verdict === 'mismatch');
  if (bad.length === 0) return undefined;
  const sentence = `${bad.length} of ${count(verdicts.length, 'target')} did not do what was asked: ${seenOf(bad)}`;
  return new FaultlineError('INJECTION_UNPROVEN', `${sentence}; ${verdicts.length - bad.length} did; uid: ${uid}`, {
    hint: `faultline show ${uid}; what can be undone: faultline recover ${uid}`,
    details: { uid },
  });
}

/**
 * RECOVERY_INCOMPLETE: something is left to undo; RECOVERY_IMPOSSIBLE: there is nothing that could be;
 * EXPECTATION_MISSED; STATE_….
 */
export function recoveryShortfall({ record, verdicts, unwritten, stopped }: Recovery): FaultlineError | undefined {
  const { uid, state } = record;
  if (unwritten !== undefined) {
    return new FaultlineError(unwritten.code, `${uid} was undone, but ${unwritten.message}`, {
      hint: 'recover it once more when that is mended: it changes nothing else',
    });
  }
  if (state === 'injected') {
    const open = verdicts.filter(({ verdict }) => verdict === 'mismatch');
    return new FaultlineError('RECOVERY_INCOMPLETE', `${uid} is not undone whole: ${seenOf(open)}`, {
      hint: 'mend that and recover again, or give up on it with --abandon',
    });
  }
  if (state === 'recovered') return missedExpectation(uid, verdicts);
  // It was live when that was asked for, and nothing of it stands any more.
  if (stopped === true) return undefined;
  if (state !== 'unrecoverable' && state !== 'failed') return undefined;
  const ended = 'what it did cannot be undone (a process that ended stays ended)';
  const why = state === 'failed' ? 'nothing of it took effect' : ended;
  return new FaultlineError('RECOVERY_IMPOSSIBLE', `there is nothing to recover in ${uid}: ${why}`, {
    hint: `faultline show ${uid}; with --recover-cmd an attack can name what repairs it`,
  });
}
