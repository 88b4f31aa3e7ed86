import type { Fault } from '../fault.ts';
import { checkHost } from './check.ts';
import { coverVolume, startDaemon } from './inject.ts';
import { lapsedVolumes, observeVolumes } from './observe.ts';
import { planVolume } from './plan.ts';
import { uncoverVolumes } from './recover.ts';
import { type IoAction, parseSpec, specFromJson, specToJson } from './spec.ts';

/** Disturb what processes do with the files of a folder, and see what comes of it. */
export const ioFaultBehaviour: Fault = {
  kind: 'io',
  check: (host) => Promise.resolve(checkHost(host)),
  parse: async (action, input) => specToJson(await parseSpec(action as IoAction, input)),
  lasts: () => true,
  plan: (action, spec, context) => Promise.resolve(planVolume(action as IoAction, specFromJson(spec), context)),
  getReady: startDaemon,
  inject: coverVolume,
  observe: observeVolumes,
  lapsed: lapsedVolumes,
  recover: uncoverVolumes,
};
