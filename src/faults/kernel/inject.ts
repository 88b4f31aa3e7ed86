import { closeSync } from 'node:fs';
import { architecture } from '../../linux/arch.ts';
import type { Journal, Plan, Site, TargetVerdict } from '../fault.ts';
import { attachDesign } from './attach.ts';
import { injectSettings } from './debugfs/inject.ts';
import { designOf } from './design-of.ts';
import { holdingToJson, planOf, probesIntent } from './effect.ts';
import { handOver } from './holder/hand-over.ts';
import { createHold } from './holder/hold-file.ts';
import { kernelPlanOf, plannedDesign } from './plan.ts';
import type { Design } from './programs/design.ts';

/** The one that was planned a moment ago; a plan from the journal has it made anew. */
function designFor(plan: Plan): Design {
  const { spec, scope } = kernelPlanOf(plan);
  const { design } = plannedDesign(plan) ?? designOf(spec, scope, architecture());
  if (design === null) throw new Error('there are no programs in this way');
  return design;
}

/** Make calls fail, in the way that was planned. */
export function injectFailure(plan: Plan, journal: Journal, site: Site): Promise<readonly TargetVerdict[]> {
  return kernelPlanOf(plan).way === 'debugfs' ? injectSettings(plan, journal) : attachProbes(plan, journal, site);
}

/** Attach the probes, and give them to a process that holds them from then on. */
async function attachProbes(plan: Plan, journal: Journal, site: Site): Promise<readonly TargetVerdict[]> {
  const [effect] = await journal.intend(() => [probesIntent(plan)]);
  if (effect === undefined) throw new Error('the effect of probes is one');
  const { key, scope } = planOf(effect);
  journal.progress('attaching probes', 0, 1);
  const hold = createHold(site.stateDir, key);
  try {
    const attached = attachDesign(designFor(plan), scope);
    try {
      const holder = await handOver(site, key, hold, attached.fds);
      journal.settle([{ effect, status: 'applied', outcome: holdingToJson(holder, attached) }]);
      const evidence = { programs: attached.programIds, holder: { ...holder } };
      const seen = `is probed by ${attached.programIds.length} programs`;
      const [first, ...processes] = plan.targets.map((target) => ({ key: target.key, label: target.label }));
      return [
        ...(first === undefined ? [] : [{ target: first, verdict: 'confirmed' as const, seen, evidence }]),
        ...processes.map((target) => ({ target, verdict: 'confirmed' as const, seen: 'is in scope', evidence: {} })),
      ];
    } finally {
      for (const fd of attached.fds) closeSync(fd);
    }
  } finally {
    closeSync(hold);
  }
}
