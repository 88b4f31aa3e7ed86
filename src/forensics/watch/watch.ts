import type { DeathSource } from '../../linux/death-events/event.ts';
import type { DeathRecord } from '../death-record.ts';
import { readOomReports } from '../host/kernel-log.ts';
import type { OomReport } from '../kernel-log/oom-report.ts';
import { momentNow, recordOf } from './record-of.ts';
import { expectRestarts, type Restart } from './restarts.ts';
import { type DeathsWanted, isWanted } from './wanted.ts';

/** What is told of whoever dies while it is watched, in the order in which it happened. */
export type Sight =
  | { readonly kind: 'death'; readonly record: DeathRecord }
  | { readonly kind: 'restart'; readonly restart: Restart }
  /** Events that nobody will ever see, because they were not read in time. */
  | { readonly kind: 'dropped'; readonly events: number; readonly total: number };

export interface DeathWatch {
  /** What has happened since the last look. @param isLast there will be none: nothing is left for the next one */
  look(isLast?: boolean): readonly Sight[];
  /** How many events were lost so far. */
  dropped(): number;
}

/** The kernel's log is read at most once for all deaths that are seen at a time, and only for victims. */
function once(read: () => readonly OomReport[] | undefined): () => readonly OomReport[] | undefined {
  let known: { readonly reports: readonly OomReport[] | undefined } | undefined;
  return () => {
    known ??= { reports: read() };
    return known.reports;
  };
}

/** Watch a source of deaths; whoever opened it closes it. */
export function watchDeaths(source: DeathSource, wanted: DeathsWanted): DeathWatch {
  const restarts = expectRestarts();
  let told = 0;
  return Object.freeze<DeathWatch>({
    look: (isLast) => {
      const reports = once(readOomReports);
      const sights: Sight[] = [];
      const events = source.read(isLast);
      const now = momentNow();
      for (const event of events) {
        if (event.kind === 'exec') {
          const restart = restarts.seen(event, now);
          if (restart !== undefined) sights.push({ kind: 'restart', restart });
          continue;
        }
        const record = recordOf(event, source.kind, now, reports);
        if (!isWanted(record, wanted)) continue;
        restarts.expect(record);
        sights.push({ kind: 'death', record });
      }
      const total = source.dropped();
      if (total > told) {
        sights.push({ kind: 'dropped', events: total - told, total });
        told = total;
      }
      return sights;
    },
    dropped: () => source.dropped(),
  });
}
