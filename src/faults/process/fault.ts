import type { Fault } from '../fault.ts';
import { checkHost } from './check.ts';
import { injectSignals } from './inject.ts';
import { observeSignals } from './observe.ts';
import { lasts, planProcesses } from './plan.ts';
import { recoverSignals } from './recover.ts';
import { parseSpec, specFromJson, specToJson } from './spec.ts';

/** Kill and stop processes, as chaosd does, and see what becomes of them. */
export const processFaultBehaviour: Fault = {
  kind: 'process',
  check: (host) => Promise.resolve(checkHost(host)),
  parse: async (action, input) => specToJson(await parseSpec(action, input)),
  lasts: (_action, spec) => lasts(specFromJson(spec)),
  plan: (action, spec, context) => Promise.resolve(planProcesses(action, specFromJson(spec), context)),
  inject: injectSignals,
  observe: (effects) => Promise.resolve(observeSignals(effects)),
  recover: recoverSignals,
};
