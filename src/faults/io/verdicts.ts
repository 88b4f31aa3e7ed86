import { type JsonObject, toJson } from '../../base/json.ts';
import { formatDuration } from '../../base/duration.ts';
import { count } from '../../base/text.ts';
import type { TargetRef } from '../../base/lifecycle.ts';
import type { ProcessReport } from '../../linux/repoint/repoint-report.ts';
import type { RepointReport } from '../../linux/repoint/repoint.ts';
import type { TargetVerdict } from '../fault.ts';
import { userKey } from './daemon/place.ts';
import type { RuleCounts } from './counters.ts';
import { usesText } from './plan.ts';

/*
 * What is said of a volume and of those who use it.
 */

function evidenceOf(report: ProcessReport): JsonObject {
  const { error, ...rest } = report;
  return toJson({
    ...rest,
    ...(error === undefined ? {} : { error: { code: error.code, message: error.message } }),
  }) as JsonObject;
}

/** Where what was not moved stays. */
type Side = 'the original' | 'the mount';

function keptText({ kept }: ProcessReport, side: Side): string {
  const [first] = kept;
  if (first === undefined) return '';
  const more = kept.length === 1 ? '' : `, and ${kept.length - 1} more`;
  return `; kept on ${side}: ${first.path} (${first.reason}${more})`;
}

function lostText({ lostLocks }: ProcessReport): string {
  const [first] = lostLocks;
  return first === undefined ? '' : `; somebody else got a lock of it meanwhile: ${first.path}`;
}

function movedText(report: ProcessReport): string {
  return `moved ${usesText(report.moved)}, stood still for ${formatDuration(Math.round(report.pauseUs) / 1000)}`;
}

/** What became of one process whose open files were to be moved. */
export function processVerdict(
  target: TargetRef,
  report: ProcessReport | undefined,
  side: Side = 'the original',
): TargetVerdict {
  // Whoever has ended, or closed everything, meets the volume as all others do who open something now.
  if (report === undefined) {
    return { target, verdict: 'confirmed', seen: 'used nothing of it any more', evidence: {} };
  }
  const evidence = evidenceOf(report);
  switch (report.outcome) {
    case 'moved': {
      const verdict = report.lostLocks.length === 0 ? 'confirmed' : 'mismatch';
      return { target, verdict, seen: `${movedText(report)}${lostText(report)}${keptText(report, side)}`, evidence };
    }
    case 'kept': {
      const verdict = report.lostLocks.length === 0 ? 'inconclusive' : 'mismatch';
      return { target, verdict, seen: `nothing could be moved${lostText(report)}${keptText(report, side)}`, evidence };
    }
    case 'gone':
      return { target, verdict: 'confirmed', seen: 'has ended', evidence };
    default: {
      const why = report.refusal?.detail ?? report.error?.message ?? 'it could not be moved';
      return { target, verdict: 'mismatch', seen: `stays on ${side}: ${why}`, evidence };
    }
  }
}

/** Those who were moved, or not, on the way back: told only where there is something to tell. */
export function returnVerdicts(volume: string, report: RepointReport | null): readonly TargetVerdict[] {
  return (report?.processes ?? []).map((one) =>
    processVerdict({ key: userKey(volume, one), label: `pid ${one.pid} (${one.comm})` }, one, 'the mount'),
  );
}

/** `3 of 10 matching operations were disturbed` */
export function hitsText(counts: readonly RuleCounts[]): string {
  const sum = (key: 'seen' | 'matched' | 'injected'): number => counts.reduce((total, one) => total + one[key], 0);
  if (sum('seen') === 0) return 'no operation came near a rule';
  if (sum('injected') === 0) return `none of ${count(sum('seen'), 'operation')} was disturbed`;
  const whole = `${sum('injected')} of ${count(sum('matched'), 'matching operation')} disturbed`;
  if (counts.length === 1) return whole;
  const each = counts.map(({ injected, matched }, index) => `rule ${index + 1}: ${injected} of ${matched}`);
  return `${whole} (${each.join(', ')})`;
}

export function wasHit(counts: readonly RuleCounts[]): boolean {
  return counts.some(({ injected }) => injected > 0);
}

export function countsEvidence(counts: readonly RuleCounts[]): JsonObject {
  return { rules: toJson(counts) };
}
