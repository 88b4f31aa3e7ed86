import type { JsonObject } from '../base/json.ts';
import type { EventRecord } from '../store/events.ts';

/**
 * What the engine tells whoever watches: the command line's progress, the event stream, metrics and reports all render
 * these and compute no state of their own.
 *
 * All but `writing` and `progress` are also lines of the injection's timeline in the journal, and are told only after
 * they are on the disk.
 */
export type EventType =
  /** Admitted: the plan, its claims and its owner are in the journal. */
  | 'planned'
  | 'injecting'
  /** Effects are about to be applied; `data.effects`. */
  | 'effect.intended'
  | 'effect.applied'
  | 'effect.refused'
  /** Effects are about to be undone. */
  | 'effect.releasing'
  | 'effect.undone'
  /** One target's verdict; `data.target`, `data.verdict`, `data.seen`. */
  | 'verdict'
  | 'injected'
  /** The keeper injected again; `data.round`. */
  | 'round'
  | 'cancelling'
  | 'recovering'
  | 'recovered'
  | 'failed'
  | 'unrecoverable'
  | 'halted'
  | 'released'
  /** The journal is about to be written; `data.step`. Not kept. */
  | 'writing'
  /** How far a long step is; `data.message`, `data.done`, `data.total`. Not kept. */
  | 'progress';

export interface EngineEvent extends EventRecord {
  readonly type: EventType;
  readonly uid: string | null;
  readonly data: JsonObject;
}

export type Observer = (event: EngineEvent) => void;
