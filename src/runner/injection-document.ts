import { textOf } from '../base/json.ts';
import type { Injection } from '../experiment/injection.ts';
import type { Plan } from '../faults/fault.ts';
import { identityKey } from '../targets/identity.ts';
import { attackCommand } from './command-line.ts';
import type { Step } from './experiment.ts';
import type { RunInjectionDocument } from './result.ts';

export type AttackStep = Extract<Step, { readonly kind: 'attack' }>;

/** Of all that the selection matched; null where it is not processes that were chosen. */
function percentOf({ record }: Injection): number | null {
  const { targets, matched } = record.plan as unknown as Pick<Plan, 'targets' | 'matched'>; // see `planToJson`
  const counted = targets.filter(({ uncounted }) => uncounted !== true);
  const among = matched - (targets.length - counted.length);
  const isOfProcesses = counted.some(({ about }) => about['comm'] !== undefined);
  return isOfProcesses && among > 0 ? (counted.length * 100) / among : null;
}

/** What the journal knows of an injection that a step made, on the clock of the run. */
export function runInjection(step: AttackStep, injection: Injection, startBootMs: number): RunInjectionDocument {
  const { record, timeline, verdicts } = injection;
  const momentOf = (type: string): number | undefined => {
    const bootMs = timeline.find((event) => event.type === type)?.bootMs;
    return bootMs === undefined ? undefined : Math.max(bootMs - startBootMs, 0);
  };
  const undoneMs = record.state === 'recovered' ? momentOf('recovered') : momentOf('failed');
  return {
    uid: record.uid,
    name: step.name,
    fault: step.fault,
    action: step.action,
    command: attackCommand(step.fault, step.action, step.options),
    fromMs: momentOf('effect.intended') ?? momentOf('injecting') ?? 0,
    toMs: undoneMs ?? null,
    targets: verdicts
      .filter(({ phase }) => phase === 'inject')
      .map(({ target: { label }, verdict, seen, evidence }) => ({ label, verdict, seen, evidence })),
    percent: percentOf(injection),
    state: record.state,
  };
}

/** An attack that is about to be made: written down before it can do anything, so that its end is told in any case. */
export function plannedInjection(step: AttackStep, uid: string, atMs: number): RunInjectionDocument {
  const { name, fault, action, options } = step;
  const command = attackCommand(fault, action, options);
  return { uid, name, fault, action, command, fromMs: atMs, toMs: null, targets: [], percent: null, state: 'planned' };
}

/** Keys of the processes that an injection was let loose on, as {@link identityKey} makes them. */
export function processKeys({ effects }: Injection): readonly string[] {
  return effects.flatMap(({ apply: { identity } }) => {
    if (typeof identity !== 'object' || identity === null || !('pid' in identity)) return [];
    const { pid, startTimeTicks, bootId } = identity;
    return [identityKey({ pid: Number(pid), startTimeTicks: Number(startTimeTicks), bootId: textOf(bootId) })];
  });
}
