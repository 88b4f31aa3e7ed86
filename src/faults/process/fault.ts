import type { JsonObject } from '../../base/json.ts';
import type { Fault, Plan, PlanContext } from '../fault.ts';
import { checkHost } from './check.ts';
import { injectSignals } from './inject.ts';
import { observeSignals } from './observe.ts';
import { injectOom } from './oom/inject.ts';
import { planOom } from './oom/plan.ts';
import { observeOom, recoverOom } from './oom/recover.ts';
import { type OomSpec, parseOomSpec } from './oom/spec.ts';
import { lasts, planProcesses } from './plan.ts';
import { recoverSignals } from './recover.ts';
import { parseSpec, specFromJson, specToJson } from './spec.ts';

function planned(action: string, spec: JsonObject, context: PlanContext): Plan {
  return action === 'oom'
    ? planOom(spec as unknown as OomSpec, context)
    : planProcesses(action, specFromJson(spec), context);
}

/** Kill and stop processes, as chaosd does, have the kernel kill them, and see what becomes of them. */
export const processFaultBehaviour: Fault = {
  kind: 'process',
  check: (host) => Promise.resolve(checkHost(host)),
  parse: async (action, input) =>
    action === 'oom' ? { ...(await parseOomSpec(input)) } : specToJson(await parseSpec(action, input)),
  lasts: (action, spec) => action !== 'oom' && lasts(specFromJson(spec)),
  plan: (action, spec, context) => Promise.resolve(planned(action, spec, context)),
  inject: (plan, journal, site) =>
    plan.action === 'oom' ? injectOom(plan, journal, site) : injectSignals(plan, journal),
  observe: (effects) => Promise.resolve([...observeSignals(effects), ...observeOom(effects)]),
  recover: async (effects, journal) => [
    ...(await recoverOom(effects, journal)),
    ...(await recoverSignals(effects, journal)),
  ],
};
