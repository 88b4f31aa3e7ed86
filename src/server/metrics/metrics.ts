import type { FastifyInstance, FastifyPluginAsync } from 'fastify';
import { string } from '../../base/schema-types.ts';
import type { Engine } from '../../experiment/engine.ts';
import type { Observer } from '../../experiment/events.ts';
import type { JournalTail } from '../../experiment/tail.ts';
import type { StreamWatch } from '../events/hub.ts';
import { deathCause } from '../../forensics/death-cause.ts';
import type { DeathListener } from '../deaths/recorder.ts';
import type { Families } from './families.ts';
import { type JournalCounts, journalCounts } from './journal-counts.ts';
import { journalGauges } from './journal-gauges.ts';
import { type Ledger, openLedger } from './ledger.ts';

/** How often the journal is counted on when nobody asks, in milliseconds: so that no scrape has a day to catch up. */
const countPeriodMs = 10_000;

/** What Prometheus gets to see. */
export interface Metrics {
  /** To be told what the engine of this process tells. */
  readonly observe: Observer;
  /** To be told of event streams. */
  readonly streams: StreamWatch;
  /** To be told of deaths that are watched. */
  readonly deaths: DeathListener;
  /** `/metrics` */
  readonly routes: FastifyPluginAsync;
  /** Count and time the requests of a whole app; to be called before its routes are added. */
  addRequestMetrics(app: FastifyInstance): void;
  close(): void;
}

const schema = {
  tags: ['service'],
  summary: 'Figures for Prometheus',
  response: {
    200: {
      description: 'The text format of Prometheus, version 0.0.4',
      content: { 'text/plain': { schema: string() } },
    },
  },
};

const breathe = (): Promise<void> =>
  new Promise((resolve) => {
    setImmediate(resolve);
  });

/** Counts on from where it was, up to the end of the journal. @throws {FaultlineError} STATE_… */
function journalReader(tail: JournalTail, after: number, counts: JournalCounts): () => Promise<void> {
  let position = after;
  let reading: Promise<void> | undefined;
  async function readOn(): Promise<void> {
    for (;;) {
      const { events, upTo, done } = tail.read(position);
      for (const [index, event] of events.entries()) {
        counts.count(event, events[index + 1] ?? tail.read(event.id, {}, 1).events[0]);
        position = event.id;
      }
      position = upTo;
      if (done) return;
      await breathe();
    }
  }
  return () => {
    reading ??= readOn().finally(() => {
      reading = undefined;
    });
    return reading;
  };
}

function addRequestMetrics(enter: Ledger['enter'], app: FastifyInstance): void {
  app.addHook('onResponse', (request, reply, done) => {
    const { url, config } = request.routeOptions;
    const { method } = request;
    const { statusCode: status, elapsedTime } = reply;
    const route = request.is404 || url === undefined ? '(none)' : url;
    if (config.endless !== true || status !== 200) {
      enter(({ requests, requestSeconds }) => {
        requests.inc({ method, route, status });
        requestSeconds.observe({ method, route }, elapsedTime / 1000);
      });
    }
    done();
  });
}

function streamWatch(enter: Ledger['enter']): StreamWatch {
  return Object.freeze<StreamWatch>({
    opened: () => {
      enter(({ streams }) => {
        streams.inc();
      });
    },
    closed: () => {
      enter(({ streams }) => {
        streams.dec();
      });
    },
    dropped: () => {
      enter(({ streamsDropped }) => {
        streamsDropped.inc();
      });
    },
  });
}

function deathCounter(enter: Ledger['enter']): DeathListener {
  return Object.freeze<DeathListener>({
    written: (records) => {
      const causes = records.map(deathCause);
      enter(({ deaths }) => {
        for (const cause of causes) deaths.inc({ cause });
      });
    },
    restarted: () => undefined,
    dropped: (events) => {
      enter(({ deathEventsDropped }) => {
        deathEventsDropped.inc(events);
      });
    },
  });
}

/** Gives out the figures, brought up to the end of the journal. */
function reporter(engine: Engine, open: () => Promise<Families>): () => Promise<Families> {
  const position = engine.tail.lastId();
  const { schedules } = engine.tally();
  let bringUp: (() => Promise<void>) | undefined;
  let readGauges: (() => void) | undefined;
  return async () => {
    const families = await open();
    bringUp ??= journalReader(engine.tail, position, journalCounts(families));
    readGauges ??= journalGauges(families, engine, schedules);
    await bringUp();
    readGauges();
    return families;
  };
}

/**
 * Metrics of the service, counted from now on. What other processes do (keepers, commands) is counted from the journal.
 *
 * @throws {FaultlineError} STATE_…
 */
export function createMetrics(engine: Engine): Metrics {
  const ledger = openLedger();
  const report = reporter(engine, ledger.open);
  const timer = setInterval(() => {
    report().catch(() => undefined); // the next scrape tells what is wrong
  }, countPeriodMs).unref();
  const routes: FastifyPluginAsync = (app) => {
    app.get('/metrics', { config: { role: 'read' }, schema }, async (_request, reply) => {
      const { registry } = await report();
      reply.header('content-type', registry.contentType);
      return registry.metrics();
    });
    return Promise.resolve();
  };
  return Object.freeze<Metrics>({
    observe: ({ type, data }) => {
      if (type !== 'written') return;
      ledger.enter(({ journalWriteSeconds }) => {
        journalWriteSeconds.observe(Number(data['ms']) / 1000);
      });
    },
    streams: streamWatch(ledger.enter),
    deaths: deathCounter(ledger.enter),
    routes,
    addRequestMetrics: (app) => {
      addRequestMetrics(ledger.enter, app);
    },
    close: () => {
      clearInterval(timer);
      ledger.close();
    },
  });
}
