import { writeSetting } from '../../../linux/fault-injection.ts';
import type { Journal, Plan, TargetVerdict } from '../../fault.ts';
import { kernelPlanOf } from '../plan.ts';
import { settingsIntent } from './effect.ts';
import { markTasks } from './mark.ts';
import { probabilityFile, refuseInUse, settingsFor, settingsNow } from './settings.ts';

/**
 * Set up the kernel's own fault injection for the threads in scope.
 *
 * @throws {FaultlineError} GUARD_CONFLICT: somebody else uses it
 */
export async function injectSettings(plan: Plan, journal: Journal): Promise<readonly TargetVerdict[]> {
  const { spec, scope } = kernelPlanOf(plan);
  refuseInUse(spec);
  const settings = settingsFor(spec);
  const [effect] = await journal.intend(() => [settingsIntent(plan, settingsNow(settings))]);
  if (effect === undefined) throw new Error('the effect of settings is one');
  journal.progress('marking threads', 0, 1);
  for (const { file, value } of settings) writeSetting(file, value);
  const { nth } = spec;
  const marked = nth === null ? markTasks(scope, 'make-it-fail', 1) : markTasks(scope, 'fail-nth', nth);
  if (nth === null) writeSetting(probabilityFile(spec), String(spec.probability));
  journal.settle([{ effect, status: 'applied', outcome: { threads: marked } }]);
  const [first, ...processes] = plan.targets.map(({ key, label }) => ({ key, label }));
  const seen = `${marked} threads may fail, and those that they start`;
  return [
    ...(first === undefined ? [] : [{ target: first, verdict: 'confirmed' as const, seen, evidence: {} }]),
    ...processes.map((target) => ({ target, verdict: 'confirmed' as const, seen: 'is in scope', evidence: {} })),
  ];
}
