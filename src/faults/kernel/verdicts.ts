import { type JsonObject, toJson } from '../../base/json.ts';
import { count } from '../../base/text.ts';
import type { FailureCounts, Hit } from './maps.ts';

/*
 * What is said of calls that were made to fail.
 */

/** `3 failures injected (5 of 812 calls matched)` */
export function countsText({ seen, matched, injected, frames }: FailureCounts): string {
  if (injected > 0) return `${count(injected, 'call')} failed, of ${matched} that matched`;
  const [first] = frames;
  if (first !== undefined && first.seen === 0) return 'nobody in scope came to the first frame';
  if (first?.matched === 0) return `none of ${count(first.seen, 'call')} of the first frame matched`;
  if (seen === 0) return first === undefined ? 'nobody in scope came to it' : 'no call came through all frames';
  return `none of ${count(seen, 'call')} failed`;
}

export function countsEvidence(counts: FailureCounts, hits: readonly Hit[]): JsonObject {
  return { counts: toJson(counts), hits: toJson(hits) };
}
