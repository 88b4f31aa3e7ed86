import type { JsonObject } from '../base/json.ts';
import type { EventRecord } from '../store/events.ts';

/*
 * What the engine tells whoever watches: the command line's progress, the event stream, metrics and reports all render
 * these and compute no state of their own.
 */

/** Lines of the timeline in the journal, which are told only after they are on the disk. */
export const keptEventTypes = [
  /** Admitted: the plan, its claims and its owner are in the journal. */
  'planned',
  'injecting',
  /** Effects are about to be applied; `data.effects`. */
  'effect.intended',
  'effect.applied',
  'effect.refused',
  /** Effects are about to be undone. */
  'effect.releasing',
  'effect.undone',
  /** One target's verdict; `data.target`, `data.verdict`, `data.seen`. */
  'verdict',
  'injected',
  /** The keeper injected again; `data.round`. */
  'round',
  'cancelling',
  'recovering',
  'recovered',
  'failed',
  'unrecoverable',
  'halted',
  'released',
  /** A schedule was added; `data.schedule` is its uid here and below, `data.expression`. */
  'schedule.added',
  /** A tick is taken; `data.run` is the uid of the injection that is about to begin. */
  'schedule.run',
  /** A tick is skipped, the first in a row; `data.reason`, and `data.skipped` in all. */
  'schedule.skipped',
  /** A run did not do what was asked; `data.run`, `data.error`. */
  'schedule.failed',
  'schedule.ended',
] as const;

type KeptEventType = (typeof keptEventTypes)[number];

export function isKept(type: string): type is KeptEventType {
  return keptEventTypes.some((kept) => kept === type);
}

/** Events that are told and not kept. */
export type PassingEventType =
  /** The journal is about to be written; `data.step`. */
  | 'writing'
  /** The journal was written, and it is on the disk; `data.step`, `data.ms`. */
  | 'written'
  /** How far a long step is; `data.message`, `data.done`, `data.total`. */
  | 'progress';

export type EventType = KeptEventType | PassingEventType;

export interface EngineEvent extends EventRecord {
  readonly type: EventType;
  readonly uid: string | null;
  readonly data: JsonObject;
}

export type Observer = (event: EngineEvent) => void;
