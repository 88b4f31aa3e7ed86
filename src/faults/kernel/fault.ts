import type { Fault } from '../fault.ts';
import { checkHost } from './check.ts';
import { injectFailure } from './inject.ts';
import { lapsedProbes, observeProbes } from './observe.ts';
import { planFailure } from './plan.ts';
import { detachProbes } from './recover.ts';
import { parseSpec, specFromJson, specToJson } from './spec.ts';

/** Make functions of the kernel fail, along a call chain and for some processes only. */
export const kernelFaultBehaviour: Fault = {
  kind: 'kernel',
  check: (host) => Promise.resolve(checkHost(host)),
  parse: async (_action, input) => specToJson(await parseSpec(input)),
  lasts: () => true,
  plan: (_action, spec, context) => Promise.resolve(planFailure(specFromJson(spec), context)),
  inject: injectFailure,
  observe: (effects) => Promise.resolve(observeProbes(effects)),
  lapsed: lapsedProbes,
  recover: detachProbes,
};
