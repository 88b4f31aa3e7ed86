import type { FastifyInstance, FastifyPluginAsync } from 'fastify';
import { string } from '../../base/schema-types.ts';
import type { Engine } from '../../experiment/engine.ts';
import type { EngineEvent } from '../../experiment/events.ts';
import type { JournalTail } from '../../experiment/tail.ts';
import type { StreamWatch } from '../events/hub.ts';
import { createFamilies, type Families } from './families.ts';
import { type JournalCounts, journalCounts } from './journal-counts.ts';
import { journalGauges } from './journal-gauges.ts';

/** How often the journal is counted on when nobody asks, in milliseconds: so that no scrape has a day to catch up. */
const countPeriodMs = 10_000;

/** What Prometheus gets to see. */
export interface Metrics {
  /** To be told what the engine of this process tells. */
  observe(event: EngineEvent): void;
  /** To be told of event streams. */
  readonly streams: StreamWatch;
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
function journalReader(tail: JournalTail, counts: JournalCounts): () => Promise<void> {
  let position = tail.lastId();
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

function addRequestMetrics({ requests, requestSeconds }: Families, app: FastifyInstance): void {
  app.addHook('onResponse', (request, reply, done) => {
    const { url, config } = request.routeOptions;
    const { method } = request;
    const route = request.is404 || url === undefined ? '(none)' : url;
    if (config.endless !== true || reply.statusCode !== 200) {
      requests.inc({ method, route, status: reply.statusCode });
      requestSeconds.observe({ method, route }, reply.elapsedTime / 1000);
    }
    done();
  });
}

/**
 * Metrics of the service, counted from now on. What other processes do (keepers, commands) is counted from the journal.
 *
 * @throws {FaultlineError} STATE_…
 */
export async function createMetrics(engine: Engine): Promise<Metrics> {
  const families = await createFamilies();
  const { registry, streams, streamsDropped, journalWriteSeconds } = families;
  const readOn = journalReader(engine.tail, journalCounts(families));
  const readGauges = journalGauges(families, engine);
  const timer = setInterval(() => {
    readOn().catch(() => undefined); // the next scrape tells what is wrong
  }, countPeriodMs).unref();
  const routes: FastifyPluginAsync = (app) => {
    app.get('/metrics', { config: { role: 'read' }, schema }, async (_request, reply) => {
      await readOn();
      readGauges();
      reply.header('content-type', registry.contentType);
      return registry.metrics();
    });
    return Promise.resolve();
  };
  return Object.freeze<Metrics>({
    observe: ({ type, data }) => {
      if (type === 'written') journalWriteSeconds.observe(Number(data['ms']) / 1000);
    },
    streams: {
      opened: () => {
        streams.inc();
      },
      closed: () => {
        streams.dec();
      },
      dropped: () => {
        streamsDropped.inc();
      },
    },
    routes,
    addRequestMetrics: (app) => {
      addRequestMetrics(families, app);
    },
    close: () => {
      clearInterval(timer);
    },
  });
}
