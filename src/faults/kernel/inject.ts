import { closeSync } from 'node:fs';
import { architecture } from '../../linux/arch.ts';
import type { Journal, Plan, Site, TargetVerdict } from '../fault.ts';
import { attachDesign } from './attach.ts';
import { designOf } from './design-of.ts';
import { holdingToJson, planOf, probesIntent } from './effect.ts';
import { handOver } from './holder/hand-over.ts';
import { createHold } from './holder/hold-file.ts';

/** Attach the probes, and give them to a process that holds them from then on. */
export async function attachProbes(plan: Plan, journal: Journal, site: Site): Promise<readonly TargetVerdict[]> {
  const [effect] = await journal.intend(() => [probesIntent(plan)]);
  if (effect === undefined) throw new Error('the effect of probes is one');
  const { key, spec, scope } = planOf(effect);
  journal.progress('attaching probes', 0, 1);
  const hold = createHold(site.stateDir, key);
  try {
    const attached = attachDesign(designOf(spec, scope, architecture()).design, scope);
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
