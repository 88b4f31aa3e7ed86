import type { JsonObject } from '../base/json.ts';
import type { EffectStatus } from '../base/lifecycle.ts';
import { number, object, objectOrNull, text } from './columns.ts';
import type { Store } from './store.ts';

/** What an injection did to one process. */
export interface DeedRow {
  readonly uid: string;
  readonly kind: string;
  readonly action: string;
  /** Wall-clock ms since 1970, of the injection. */
  readonly createdAt: number;
  readonly actor: JsonObject;
  readonly type: string;
  readonly label: string;
  readonly status: EffectStatus;
  readonly apply: JsonObject;
  readonly outcome: JsonObject | null;
}

/** To whom: a PID of one boot and PID namespace, or a name. */
export type DeedFilter =
  | { readonly pid: number; readonly bootId: string; readonly pidNamespace: number }
  /** As the kernel has it: 15 bytes at most. */
  | { readonly name: string };

/** A signal as whoever watched saw it sent. */
export interface SentSignal {
  readonly number: number;
  /** CLOCK_BOOTTIME ms; null where that was not seen. */
  readonly sentBootMs: number | null;
}

/** How far two clocks, and writing a deed down and doing it, may be apart, in milliseconds. */
const slackMs = 1_000;

/** How long after it was written down a signal may be sent, where nothing tells how that ended, in milliseconds. */
const unsettledMs = 60_000;

/** A process as the injections of one PID namespace have it. */
export interface DoneTo {
  readonly pid: number;
  readonly pidNamespace: number;
  readonly startTimeTicks: number;
  readonly bootId: string;
}

/**
 * The newest injection that sent this signal to a process, or had the OOM killer kill it. One that sent the same signal
 * at another time is none: the process may have lived on, and died of somebody else's.
 *
 * @param signal null: the OOM killer was at work
 * @returns its uid
 */
export function findDoer(store: Store, target: DoneTo, signal: SentSignal | null): string | undefined {
  const what =
    signal === null
      ? `effect.type = 'oom-kill'`
      : `effect.type = 'signal' AND json_extract(effect.apply, '$.signal') = $number
      AND ($sentBootMs IS NULL OR $sentBootMs BETWEEN effect.intended_boot_ms - ${slackMs}
        AND coalesce(effect.settled_boot_ms + ${slackMs}, effect.intended_boot_ms + ${unsettledMs}))`;
  const sql = `SELECT injection.uid FROM effect JOIN injection ON injection.id = effect.injection_id
    WHERE json_extract(effect.apply, '$.identity.pid') = $pid
      AND json_extract(effect.apply, '$.identity.startTimeTicks') = $startTimeTicks
      AND json_extract(effect.apply, '$.identity.bootId') = $bootId
      AND injection.pid_namespace = $pidNamespace AND effect.status <> 'refused' AND ${what}
    ORDER BY effect.id DESC LIMIT 1`;
  return store.all(sql, { ...target, ...signal }).map((row) => text(row, 'uid'))[0];
}

/** Effects that name a process as `identity` in what they apply. The newest first. */
export function findDeeds(store: Store, filter: DeedFilter, limit: number): readonly DeedRow[] {
  const where =
    'pid' in filter
      ? `json_extract(effect.apply, '$.identity.pid') = $pid AND injection.boot_id = $bootId
         AND injection.pid_namespace = $pidNamespace`
      : `json_extract(effect.apply, '$.comm') = $name`;
  const sql = `SELECT injection.uid, injection.kind, injection.action, injection.created_at, injection.actor,
      effect.type, effect.target_label, effect.status, effect.apply, effect.outcome
    FROM effect JOIN injection ON injection.id = effect.injection_id
    WHERE ${where} AND effect.status <> 'refused' AND effect.type IN ('signal', 'oom-kill')
    ORDER BY effect.id DESC LIMIT $limit`;
  return store.all(sql, { ...filter, limit }).map((row) =>
    Object.freeze({
      uid: text(row, 'uid'),
      kind: text(row, 'kind'),
      action: text(row, 'action'),
      createdAt: number(row, 'created_at'),
      actor: object(row, 'actor'),
      type: text(row, 'type'),
      label: text(row, 'target_label'),
      status: text(row, 'status') as EffectStatus,
      apply: object(row, 'apply'),
      outcome: objectOrNull(row, 'outcome'),
    }),
  );
}
