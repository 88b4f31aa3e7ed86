import { type JsonObject, textOf, toJson } from '../../../base/json.ts';
import { bootId } from '../../../linux/boot-id.ts';
import type { Effect, EffectIntent, Plan } from '../../fault.ts';
import { kernelPlanOf } from '../plan.ts';
import type { Setting } from './settings.ts';

const type = 'kernel-settings';

/** What is written down before anything is set: above all what the settings were. */
export function settingsIntent(plan: Plan, before: readonly Setting[]): EffectIntent {
  const [target] = plan.targets;
  if (target === undefined) throw new Error('a plan has what fails as its first target');
  return {
    type,
    target: { key: target.key, label: target.label },
    apply: toJson(kernelPlanOf(plan)) as JsonObject,
    undo: { bootId: bootId(), before: toJson(before) },
    hold: null,
  };
}

/** Is it about settings, and not about probes? */
export function isSettings(effect: Effect): boolean {
  return effect.type === type;
}

/** What the settings were; undefined: that was in another boot, and has ended with it. */
export function settingsBefore({ undo }: Effect): readonly Setting[] | undefined {
  if (textOf(undo?.['bootId']) !== bootId()) return undefined;
  return undo?.['before'] as unknown as readonly Setting[];
}
