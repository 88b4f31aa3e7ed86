import type { Counter, Gauge, Histogram, Registry } from 'prom-client';
import { deathCauses } from '../../forensics/death-cause.ts';
import { version } from '../../base/version.ts';

/** Seconds, for what takes milliseconds as a rule. */
const shortBuckets = [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10];

/** Seconds, for what may have to wait for processes and for a recover command. */
const longBuckets = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120];

/** Everything that is measured. Labels take few values: never a uid, a name or a path as it was asked for. */
export interface Families {
  readonly registry: Registry;
  readonly injections: Counter<'fault' | 'action' | 'verdict' | 'state'>;
  readonly recoveries: Counter<'fault' | 'action' | 'state'>;
  readonly recoverySeconds: Histogram<'fault' | 'action'>;
  readonly live: Gauge<'fault' | 'action' | 'state'>;
  readonly journalWriteSeconds: Histogram;
  readonly scheduleRuns: Counter<'result'>;
  readonly halted: Gauge;
  readonly requests: Counter<'method' | 'route' | 'status'>;
  readonly requestSeconds: Histogram<'method' | 'route'>;
  readonly streams: Gauge;
  readonly streamsDropped: Counter;
  readonly deaths: Counter<'cause'>;
  readonly deathEventsDropped: Counter;
}

/** Gauges of prom-client that end in `_total`, which only counters may; the same is there by type without it. */
const misnamed = ['nodejs_active_resources_total', 'nodejs_active_handles_total', 'nodejs_active_requests_total'];

type Library = typeof import('prom-client');
type InRegistry<Names extends keyof Families> = Pick<Families, Names>;

function ofInjections(
  { Counter, Gauge, Histogram }: Library,
  registers: Registry[],
): InRegistry<'injections' | 'recoveries' | 'recoverySeconds' | 'live'> {
  return {
    injections: new Counter({
      name: 'faultline_injections_total',
      help: 'Injections that were begun since the service runs, by what they were after injecting',
      labelNames: ['fault', 'action', 'verdict', 'state'],
      registers,
    }),
    recoveries: new Counter({
      name: 'faultline_recoveries_total',
      help: 'Recoveries that ended since the service runs, by the state that they left; injected: not all was undone',
      labelNames: ['fault', 'action', 'state'],
      registers,
    }),
    recoverySeconds: new Histogram({
      name: 'faultline_recovery_seconds',
      help: 'From the beginning of a recovery to its end',
      labelNames: ['fault', 'action'],
      buckets: longBuckets,
      registers,
    }),
    live: new Gauge({
      name: 'faultline_injections_live',
      help: 'Injections that may still have something to undo',
      labelNames: ['fault', 'action', 'state'],
      registers,
    }),
  };
}

function ofJournal(
  { Counter, Gauge, Histogram }: Library,
  registers: Registry[],
): InRegistry<'journalWriteSeconds' | 'scheduleRuns' | 'halted'> {
  return {
    journalWriteSeconds: new Histogram({
      name: 'faultline_journal_write_seconds',
      help: 'From when a change of the journal is asked for until it is on the disk, in this process',
      buckets: shortBuckets,
      registers,
    }),
    scheduleRuns: new Counter({
      name: 'faultline_schedule_runs_total',
      help: 'Ticks of schedules since the service runs: begun, skipped, and runs that did not do what was asked',
      labelNames: ['result'],
      registers,
    }),
    halted: new Gauge({ name: 'faultline_halted', help: '1 while new attacks are held off', registers }),
  };
}

function ofRequests(
  { Counter, Gauge, Histogram }: Library,
  registers: Registry[],
): InRegistry<'requests' | 'requestSeconds' | 'streams' | 'streamsDropped'> {
  return {
    requests: new Counter({
      name: 'faultline_http_requests_total',
      help: 'Requests answered, by the pattern of their route; event streams only where they were refused',
      labelNames: ['method', 'route', 'status'],
      registers,
    }),
    requestSeconds: new Histogram({
      name: 'faultline_http_request_seconds',
      help: 'From the head of a request to the end of its answer',
      labelNames: ['method', 'route'],
      buckets: shortBuckets,
      registers,
    }),
    streams: new Gauge({ name: 'faultline_event_streams', help: 'Clients that hear events now', registers }),
    streamsDropped: new Counter({
      name: 'faultline_event_streams_dropped_total',
      help: 'Clients that heard events and were cut off, since they did not read',
      registers,
    }),
  };
}

function ofDeaths({ Counter }: Library, registers: Registry[]): InRegistry<'deaths' | 'deathEventsDropped'> {
  const deaths = new Counter({
    name: 'faultline_deaths_total',
    help: 'Deaths on this host that the service has watched and written down, by what they were of',
    labelNames: ['cause'],
    registers,
  });
  for (const cause of deathCauses) deaths.inc({ cause }, 0);
  const deathEventsDropped = new Counter({
    name: 'faultline_death_events_dropped_total',
    help: 'Events that nobody will ever see, since there were too many at a time: deaths may be missing',
    registers,
  });
  return { deaths, deathEventsDropped };
}

function tellBuild({ Gauge }: Library, registers: Registry[]): void {
  const build = new Gauge({
    name: 'faultline_build_info',
    help: 'Always 1; the version of Faultline that runs',
    labelNames: ['version'],
    registers,
  });
  build.set({ version }, 1);
}

/** All families in a registry of their own. The library loads here: who does not serve metrics does not pay for it. */
export async function createFamilies(): Promise<Families> {
  const { default: library } = await import('prom-client');
  const registry = new library.Registry();
  const registers = [registry];
  library.collectDefaultMetrics({ register: registry });
  for (const name of misnamed) registry.removeSingleMetric(name);
  tellBuild(library, registers);
  return Object.freeze({
    registry,
    ...ofInjections(library, registers),
    ...ofJournal(library, registers),
    ...ofRequests(library, registers),
    ...ofDeaths(library, registers),
  });
}
