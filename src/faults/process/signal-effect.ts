import { type JsonObject, textOf } from '../../base/json.ts';
import { defaultAction } from '../../linux/signals.ts';
import { identityKey, type ProcessIdentity } from '../../targets/identity.ts';
import type { Effect, EffectIntent, PlannedTarget } from '../fault.ts';

/*
 * A signal sent, as the journal keeps it. One that stops a process is undone by SIGCONT; one that kills, by nothing.
 */

export const SIGCONT = 18;

/** What the journal must know to send a signal to this process and no other, and to name it. */
export interface SignalTarget {
  readonly planned: PlannedTarget;
  readonly identity: ProcessIdentity;
  /** The name and arguments by which one that comes back is known again. */
  readonly comm: string;
  readonly uid: number;
  readonly ppid: number;
}

export type Undo = 'continue' | 'leave' | 'none';

export function stops(signal: number): boolean {
  return defaultAction(signal) === 'stop';
}

/** What a stopping signal holds: several injections may stop one process, and the last to let go continues it. */
export function stopHold(identity: ProcessIdentity): string {
  return `stopped:${identityKey(identity)}`;
}

const undoing: Readonly<Record<Undo, JsonObject | null>> = {
  continue: { signal: SIGCONT },
  // It was stopped by somebody else before: recovery gives back what was found.
  leave: { leave: 'it was stopped before the attack' },
  none: null,
};

export function signalIntent(target: SignalTarget, signal: number, undo: Undo): EffectIntent {
  return {
    type: 'signal',
    target: { key: target.planned.key, label: target.planned.label },
    apply: { signal, identity: { ...target.identity }, comm: target.comm, uid: target.uid, ppid: target.ppid },
    undo: undoing[undo],
    hold: undo === 'none' ? null : stopHold(target.identity),
  };
}

/** A signal effect read back from the journal. */
export interface SignalEffect {
  readonly effect: Effect;
  readonly signal: number;
  readonly identity: ProcessIdentity;
  readonly comm: string;
  readonly uid: number;
  readonly ppid: number;
  readonly undo: Undo;
}

export function undoOf(effect: Effect): Undo {
  if (effect.undo === null) return 'none';
  return 'leave' in effect.undo ? 'leave' : 'continue';
}

/** The signals among an injection's effects. */
export function signalEffects(effects: readonly Effect[]): readonly SignalEffect[] {
  return effects
    .filter((effect) => effect.type === 'signal')
    .map((effect) => ({
      effect,
      signal: Number(effect.apply['signal']),
      identity: effect.apply['identity'] as unknown as ProcessIdentity,
      comm: textOf(effect.apply['comm']),
      uid: Number(effect.apply['uid']),
      ppid: Number(effect.apply['ppid']),
      undo: undoOf(effect),
    }));
}
