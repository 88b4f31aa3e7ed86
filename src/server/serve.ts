import type { FastifyBaseLogger, FastifyInstance } from 'fastify';
import { FaultlineError } from '../base/error.ts';
import { printable } from '../base/text.ts';
import { type Engine, openEngine } from '../experiment/engine.ts';
import type { EngineEvent } from '../experiment/events.ts';
import type { ScheduleRunner } from '../experiment/schedule/run.ts';
import { refusalLog } from './access/refusals.ts';
import { type AppContext, buildApp, buildSystemApp } from './app.ts';
import { keepHeapSmall } from './heap.ts';
import { type LogStream, logStream } from './log.ts';
import { createMetrics, type Metrics } from './metrics/metrics.ts';
import type { ServerOptions } from './options.ts';
import { refuseUnsafe, type Safety } from './safety.ts';
import { serviceOver } from './service.ts';
import { startSupervision, type Supervision } from './supervision.ts';

/** How long a stop waits for requests that are under way, in milliseconds; then they are undone and cut off. */
const graceMs = 30_000;

const sweepMs = 50;

/** Connections that the kernel keeps until they are accepted: a burst of them must not be lost. */
const backlog = 4_096;

export interface ServeHooks {
  /** Aborted when the service is to stop: nothing new is taken on, what is under way is finished. */
  readonly stop: AbortSignal;
  /** Called once it answers, with the addresses where it does; the first one has the API. */
  onListening(urls: readonly string[]): void;
}

/** One address with what answers there. */
interface Listener {
  readonly app: FastifyInstance;
  readonly port: number;
}

/** What was started and must be stopped. */
interface Started {
  readonly apps: readonly FastifyInstance[];
  readonly metrics: Metrics;
  readonly supervision: Supervision;
  readonly schedules: ScheduleRunner;
}

async function listen({ app, port }: Listener, host: string): Promise<string> {
  try {
    return await app.listen({ host, port, backlog });
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new FaultlineError('ADDRESS_UNUSABLE', `cannot listen on ${printable(host)}:${port}: ${printable(reason)}`, {
      hint: 'another program may be there already; choose another one with --port or --host',
      cause,
    });
  }
}

/** With a certificate the API has the other port, and the plain one tells only that there is somebody. */
async function listenersFor(context: AppContext, { port, httpsPort }: ServerOptions): Promise<readonly Listener[]> {
  const api = await buildApp(context);
  if (context.safety.tls === undefined) return [{ app: api, port }];
  return [
    { app: api, port: httpsPort },
    { app: await buildSystemApp(context), port },
  ];
}

function aborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const done = (): void => {
      resolve();
    };
    if (signal.aborted) done();
    else signal.addEventListener('abort', done, { once: true });
  });
}

async function openLog(level: ServerOptions['logLevel'], stream: LogStream): Promise<FastifyBaseLogger> {
  const { fastify } = await import('fastify');
  return fastify({ logger: { level, stream } }).log;
}

/** Take the folder, answer, look after what was left behind, and carry out schedules. */
async function start(
  engine: Engine,
  metrics: Metrics,
  options: ServerOptions,
  safety: Safety,
  log: FastifyBaseLogger,
): Promise<Started & { readonly urls: readonly string[] }> {
  for (const warning of safety.warnings) log.warn(warning);
  const service = serviceOver(engine, options, log);
  const refusals = refusalLog(({ actor, asked, error }) => {
    log.warn({ code: error.code, ...actor, ...asked }, error.message);
    void engine.actingAs(actor).auditRefusal(asked, error);
  });
  const listeners = await listenersFor({ service, safety, refusals, metrics, log }, options);
  const apps = listeners.map(({ app }) => app);
  try {
    const urls: string[] = [];
    for (const listener of listeners) urls.push(await listen(listener, safety.address));
    await engine.enterService(urls[0] ?? '');
    const supervision = startSupervision(engine, log);
    const schedules = engine.runSchedules({
      onError: (error) => {
        log.error({ err: error }, 'a schedule could not be attended to');
      },
    });
    return { apps, metrics, supervision, schedules, urls };
  } catch (error) {
    await Promise.all(apps.map((app) => app.close()));
    throw error;
  }
}

/**
 * Stop taking on anything, finish what is under way, and leave what is live as it is. What does not come to its end in
 * time is undone.
 */
async function stop({ apps, supervision, schedules, metrics }: Started, force: AbortController): Promise<void> {
  const impatience = setTimeout(() => {
    force.abort();
    for (const { server } of apps) server.closeAllConnections();
  }, graceMs);
  // A connection whose last answer is out would be kept for a next request that is not wanted any more.
  const sweep = setInterval(() => {
    for (const { server } of apps) server.closeIdleConnections();
  }, sweepMs);
  try {
    await Promise.all([schedules.stop(), supervision.stop(), ...apps.map((app) => app.close())]);
  } finally {
    clearTimeout(impatience);
    clearInterval(sweep);
    metrics.close();
  }
}

/**
 * Run the service until it is told to stop. Injections that are live then stay live: their leases are kept by the
 * keeper, and the next service or command picks them up.
 *
 * @throws {FaultlineError} SERVER_RUNNING, SERVER_UNSAFE, ADDRESS_UNUSABLE, STATE_…
 */
export async function serve(options: ServerOptions, hooks: ServeHooks): Promise<void> {
  keepHeapSmall();
  const safety = await refuseUnsafe(options);
  const stream = logStream(2);
  const log = await openLog(options.logLevel, stream);
  const force = new AbortController();
  let observe = (_event: EngineEvent): void => undefined;
  const engine = openEngine({
    stateDir: options.stateDir,
    via: 'service',
    keeperCommand: options.keeperCommand,
    interrupted: force.signal,
    observe: (event) => {
      observe(event);
    },
  });
  try {
    await engine.enterService('an address that it is about to take');
    try {
      const metrics = createMetrics(engine);
      observe = metrics.observe;
      const started = await start(engine, metrics, options, safety, log);
      hooks.onListening(started.urls);
      await aborted(hooks.stop);
      log.info('stopping');
      await stop(started, force);
    } finally {
      await engine.leaveService();
    }
  } finally {
    engine.close();
    await stream.drained();
  }
}
