import { bootTimeMs, startTimeMs } from '../../../linux/clock.ts';
import { parseCriteria } from '../../../targets/criteria.ts';
import { matchProcesses } from '../../../targets/match.ts';
import { readProcessTable } from '../../../targets/process-table.ts';
import type { ProcessSource } from '../../experiment.ts';
import { lookEvery, startLooking } from './looking.ts';
import type { Prober } from './prober.ts';

/** How many processes of a name there are: those that an attack would find by the same name. */
export const probeProcess: Prober<ProcessSource> = ({ process, everyMs }, parts) => {
  const criteria = parseCriteria({ process });
  const rounds = startLooking(lookEvery(everyMs), parts, () => {
    const { processes } = matchProcesses(criteria, readProcessTable());
    const youngest = Math.max(...processes.map(({ identity }) => startTimeMs(identity)));
    const count = processes.length;
    return { values: { count, ...(count === 0 ? {} : { age: Math.max(bootTimeMs() - youngest, 0) }) } };
  });
  return () => rounds.stop();
};
