import path from 'node:path';
import { type FastifyInstance, fastify } from 'fastify';
import { afterEach } from 'vitest';
import { localOperations } from '../../src/api/local.ts';
import { isFaultlineError } from '../../src/base/error.ts';
import { errorCodes } from '../../src/base/error-codes.ts';
import { type Engine, openEngine } from '../../src/experiment/engine.ts';
import type { EngineEvent } from '../../src/experiment/events.ts';
import { deathRecorder } from '../../src/server/deaths/recorder.ts';
import type { HubOptions } from '../../src/server/events/hub.ts';
import { eventRoutes } from '../../src/server/events/routes.ts';
import { createMetrics, type Metrics } from '../../src/server/metrics/metrics.ts';
import type { Service } from '../../src/server/service.ts';

const program = [process.execPath, path.resolve(import.meta.dirname, '../../dist/faultline.js')];

/** The routes under test on a real engine and a real port, in this process, where one can look at what they hold. */
export interface InProcessService {
  readonly url: string;
  readonly engine: Engine;
  readonly metrics: Metrics;
  /** Clients that were dropped, and that are there now. */
  readonly clients: { dropped: number; open: number };
  /** What waits in the connections of this service, in bytes. */
  buffered(): number;
  stop(): Promise<void>;
}

const running = new Set<InProcessService>();

afterEach(async () => {
  await Promise.all([...running].map((service) => service.stop()));
});

function answerErrors(app: FastifyInstance): void {
  app.setErrorHandler(async (error, _request, reply) => {
    if (!isFaultlineError(error)) throw error;
    await reply.code(errorCodes[error.code].http).send({ code: error.code, message: error.message });
  });
}

function watched(metrics: Metrics, clients: InProcessService['clients']): Metrics['streams'] {
  return {
    opened: () => {
      clients.open += 1;
      metrics.streams.opened();
    },
    closed: () => {
      clients.open -= 1;
      metrics.streams.closed();
    },
    dropped: () => {
      clients.dropped += 1;
      metrics.streams.dropped();
    },
  };
}

export async function startInProcess(
  stateDir: string,
  hubOptions: Partial<HubOptions> = {},
): Promise<InProcessService> {
  const observers: ((event: EngineEvent) => void)[] = [];
  const engine = openEngine({
    stateDir,
    via: 'test',
    program,
    interrupted: new AbortController().signal,
    observe: (event) => {
      for (const observe of observers) observe(event);
    },
  });
  const metrics = createMetrics(engine);
  observers.push((event) => {
    metrics.observe(event);
  });
  const app = fastify({ forceCloseConnections: 'idle' });
  app.decorateRequest('caller', undefined);
  answerErrors(app);
  metrics.addRequestMetrics(app);
  const options = {} as Service['options']; // no route here asks for any
  const deaths = deathRecorder(engine, app.log); // never begun
  const service: Service = { options, engine, log: app.log, deaths, operationsFor: () => localOperations(engine) };
  const clients = { dropped: 0, open: 0 };
  await app.register(eventRoutes(service, watched(metrics, clients), hubOptions), { prefix: '/api/v1' });
  await app.register(metrics.routes);
  const sockets = new Set<{ readonly writableLength: number }>();
  app.server.on('connection', (socket) => {
    sockets.add(socket);
    socket.on('close', () => sockets.delete(socket));
  });
  const url = await app.listen({ host: '127.0.0.1', port: 0 });
  const one: InProcessService = Object.freeze({
    url,
    engine,
    metrics,
    clients,
    buffered: () => [...sockets].reduce((sum, { writableLength }) => sum + writableLength, 0),
    stop: async () => {
      if (!running.delete(one)) return;
      await app.close();
      metrics.close();
      engine.close();
    },
  });
  running.add(one);
  return one;
}
