import type { JsonObject } from '../base/json.ts';
import type { TargetRef, Verdict } from '../base/lifecycle.ts';
import { number, object, text } from './columns.ts';
import type { Store } from './store.ts';

/** What was seen of one target after an injection or a recovery. */
export interface VerdictRecord {
  readonly phase: 'inject' | 'recover';
  readonly round: number;
  readonly target: TargetRef;
  readonly verdict: Verdict;
  /** A phrase for people: `died of SIGKILL after 1 ms`. */
  readonly seen: string;
  readonly evidence: JsonObject;
}

export function insertVerdict(store: Store, injectionId: number, verdict: VerdictRecord): void {
  store.run(
    `INSERT INTO verdict (injection_id, phase, round, target_key, target_label, verdict, seen, evidence)
     VALUES ($injectionId, $phase, $round, $key, $label, $verdict, $seen, $evidence)`,
    {
      injectionId,
      phase: verdict.phase,
      round: verdict.round,
      key: verdict.target.key,
      label: verdict.target.label,
      verdict: verdict.verdict,
      seen: verdict.seen,
      evidence: JSON.stringify(verdict.evidence),
    },
  );
}

export function verdictsOf(store: Store, injectionId: number): readonly VerdictRecord[] {
  return store.all('SELECT * FROM verdict WHERE injection_id = $injectionId ORDER BY id', { injectionId }).map((row) =>
    Object.freeze({
      phase: text(row, 'phase') as VerdictRecord['phase'],
      round: number(row, 'round'),
      target: { key: text(row, 'target_key'), label: text(row, 'target_label') },
      verdict: text(row, 'verdict') as Verdict,
      seen: text(row, 'seen'),
      evidence: object(row, 'evidence'),
    }),
  );
}
