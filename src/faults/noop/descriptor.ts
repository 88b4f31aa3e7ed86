import type { FaultDescriptor } from '../fault.ts';
import { holdSchema } from './schema.ts';

export const noopFault: FaultDescriptor = {
  kind: 'noop',
  summary: 'Drill: goes through the whole life of an injection and touches nothing',
  actions: {
    hold: {
      summary: 'hold an imaginary target until it is recovered',
      details: [
        'Plans, journals, injects, verifies and recovers like any fault, and changes nothing on the host. Use it ' +
          'to try out leases, the keeper, halt, the audit log and alerts that watch Faultline.',
      ],
      schema: holdSchema,
      examples: [
        { command: 'attack noop hold --duration 10s', does: 'see a lease end by itself' },
        { command: 'attack noop hold --name db --dry-run', does: 'see a plan' },
      ],
    },
  },
  load: async () => (await import('./fault.ts')).noop,
};
