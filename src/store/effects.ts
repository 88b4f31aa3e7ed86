import type { JsonObject } from '../base/json.ts';
import type { EffectStatus } from '../base/lifecycle.ts';
import { number, numberOrNull, object, objectOrNull, text, textOrNull } from './columns.ts';
import type { Row, Store } from './store.ts';

/** One effect as the journal has it. */
export interface EffectRecord {
  readonly id: number;
  readonly injectionId: number;
  readonly round: number;
  readonly type: string;
  readonly target: { readonly key: string; readonly label: string };
  readonly apply: JsonObject;
  readonly undo: JsonObject | null;
  readonly hold: string | null;
  readonly status: EffectStatus;
  readonly outcome: JsonObject | null;
  readonly intendedBootMs: number;
  readonly settledBootMs: number | null;
}

export type NewEffect = Omit<EffectRecord, 'id' | 'status' | 'outcome' | 'settledBootMs'>;

function toRecord(row: Row): EffectRecord {
  return Object.freeze({
    id: number(row, 'id'),
    injectionId: number(row, 'injection_id'),
    round: number(row, 'round'),
    type: text(row, 'type'),
    target: { key: text(row, 'target_key'), label: text(row, 'target_label') },
    apply: object(row, 'apply'),
    undo: objectOrNull(row, 'undo'),
    hold: textOrNull(row, 'hold'),
    status: text(row, 'status') as EffectStatus,
    outcome: objectOrNull(row, 'outcome'),
    intendedBootMs: number(row, 'intended_boot_ms'),
    settledBootMs: numberOrNull(row, 'settled_boot_ms'),
  });
}

export function insertEffect(store: Store, effect: NewEffect): EffectRecord {
  const { lastId } = store.run(
    `INSERT INTO effect (injection_id, round, type, target_key, target_label, apply, undo, hold, status,
       intended_boot_ms)
     VALUES ($injectionId, $round, $type, $key, $label, $apply, $undo, $hold, 'intended', $intendedBootMs)`,
    {
      injectionId: effect.injectionId,
      round: effect.round,
      type: effect.type,
      key: effect.target.key,
      label: effect.target.label,
      apply: JSON.stringify(effect.apply),
      undo: effect.undo === null ? null : JSON.stringify(effect.undo),
      hold: effect.hold,
      intendedBootMs: effect.intendedBootMs,
    },
  );
  return Object.freeze({ ...effect, id: lastId, status: 'intended', outcome: null, settledBootMs: null });
}

export function settleEffect(
  store: Store,
  id: number,
  status: EffectStatus,
  outcome: JsonObject | null,
  bootMs: number,
): void {
  store.run(
    `UPDATE effect SET status = $status, outcome = coalesce($outcome, outcome), settled_boot_ms = $bootMs
     WHERE id = $id`,
    { id, status, outcome: outcome === null ? null : JSON.stringify(outcome), bootMs },
  );
}

/** The status of an effect as it is now, whatever a copy of it says. */
export function effectStatus(store: Store, id: number): string | undefined {
  const row = store.get('SELECT status FROM effect WHERE id = $id', { id });
  return row === undefined ? undefined : text(row, 'status');
}

/** All effects of an injection in the order in which they were intended. */
export function effectsOf(store: Store, injectionId: number): readonly EffectRecord[] {
  return store.all('SELECT * FROM effect WHERE injection_id = $injectionId ORDER BY id', { injectionId }).map(toRecord);
}

/** Effects of other injections that hold the same thing now, or are just letting go of it. */
export function holders(store: Store, hold: string, exceptInjectionId: number): readonly EffectRecord[] {
  return store
    .all(
      `SELECT * FROM effect WHERE hold = $hold AND injection_id <> $exceptInjectionId
         AND status IN ('intended', 'applied', 'releasing') ORDER BY id`,
      { hold, exceptInjectionId },
    )
    .map(toRecord);
}
