import type { FastifyBaseLogger, FastifyInstance } from 'fastify';
import { FaultlineError } from '../base/error.ts';
import { printable } from '../base/text.ts';
import { type Engine, openEngine } from '../experiment/engine.ts';
import type { EngineEvent } from '../experiment/events.ts';
import type { ScheduleRunner } from '../experiment/schedule/run.ts';
import { refusalLog, type RefusalLog } from './access/refusals.ts';
import { addApi, addSystem, type AppContext, newApp } from './app.ts';
import { deathRecorder, type DeathRecorder } from './deaths/recorder.ts';
import { logSchedules } from './schedule-log.ts';
import { keepHeapSmall } from './heap.ts';
import { type LogStream, logStream } from './log.ts';
import { createMetrics, type Metrics } from './metrics/metrics.ts';
import type { ServerOptions } from './options.ts';
import { refuseUnsafe, type Safety } from './safety.ts';
import { serviceOver } from './service.ts';
import { startSupervision, type Supervision } from './supervision.ts';
import { type Work, workUnderWay } from './work.ts';

/** How long a stop waits for requests that are under way, in milliseconds; then they are undone and cut off. */
const graceMs = 30_000;

/** How long undoing that may take, in milliseconds. */
const undoMs = 10_000;

const sweepMs = 50;

/** How long the start waits for whoever reads the log, in milliseconds. */
const logPatienceMs = 1_000;

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
  readonly scheme: 'http' | 'https';
  readonly port: number;
}

/** What was started and must be stopped. */
interface Started {
  readonly apps: readonly FastifyInstance[];
  readonly metrics: Metrics;
  readonly supervision: Supervision;
  readonly deaths: DeathRecorder;
  readonly schedules: ScheduleRunner;
  /** Where it answers; the first one has the API. */
  readonly urls: readonly string[];
  readonly work: Work;
  readonly log: FastifyBaseLogger;
}

/** `http://127.0.0.1:31767`, `https://[::1]:31768` */
function urlOf({ app, scheme }: Listener): string {
  const address = app.server.address();
  if (address === null || typeof address === 'string') throw new Error('an app that listens has no address');
  const host = address.family === 'IPv6' ? `[${address.address}]` : address.address;
  return `${scheme}://${host}:${address.port}`;
}

/** What to do about an address that cannot be had, by the error of bind(2) and listen(2). */
const addressHints: Readonly<Record<string, string>> = {
  EADDRINUSE: 'another program is there already; choose another port with --port or --https-port',
  EACCES: 'ports below 1024 are for root; choose another one with --port or --https-port',
  EADDRNOTAVAIL: 'no interface of this host has that address; see ip addr',
};

function addressHint(error: unknown): string {
  const code = error instanceof Error && 'code' in error ? String(error.code) : '';
  return addressHints[code] ?? 'choose another one with --port or --host';
}

async function listen(listener: Listener, host: string): Promise<string> {
  const { app, port } = listener;
  try {
    await app.listen({ host, port, backlog, listenTextResolver: () => 'listening' });
    return urlOf(listener);
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new FaultlineError('ADDRESS_UNUSABLE', `cannot listen on ${printable(host)}:${port}: ${printable(reason)}`, {
      hint: addressHint(cause),
      cause,
    });
  }
}

/** With a certificate the API has the other port, and the plain one tells only that there is somebody. */
async function listenersFor(context: AppContext, api: FastifyInstance): Promise<readonly Listener[]> {
  const { port, httpsPort } = context.options;
  if (context.safety.tls === undefined) return [{ app: api, scheme: 'http', port }];
  const system = await newApp(context, undefined, api.log);
  await addSystem(system);
  return [
    { app: api, scheme: 'https', port: httpsPort },
    { app: system, scheme: 'http', port },
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

/** Who was not let in goes into the log and the audit log. */
function tellRefusals(engine: Engine, log: () => FastifyBaseLogger): RefusalLog {
  return refusalLog(({ actor, asked, error }) => {
    log().warn({ code: error.code, ...actor, ...asked }, error.message);
    void engine.actingAs(actor).auditRefusal(asked, error);
  });
}

/** Answer, look after what was left behind, and carry out schedules. */
async function start(
  engine: Engine,
  metrics: Metrics,
  options: ServerOptions,
  safety: Safety,
  stream: LogStream,
): Promise<Started> {
  const refusals = tellRefusals(engine, () => api.log);
  const context: AppContext = { options, safety, refusals, metrics };
  const api: FastifyInstance = await newApp(context, safety.tls, { level: options.logLevel, stream });
  const { log } = api;
  for (const warning of safety.warnings) log.warn(warning);
  const work = workUnderWay();
  const deaths = deathRecorder(engine, log);
  deaths.listen(metrics.deaths);
  await addApi(api, serviceOver({ engine, options, log, work, deaths }), metrics);
  const listeners = await listenersFor(context, api);
  const apps = listeners.map(({ app }) => app);
  try {
    const urls: string[] = [];
    for (const listener of listeners) urls.push(await listen(listener, safety.address));
    const unwritten = await engine.enterService(urls[0] ?? '');
    if (unwritten !== undefined) log.error({ code: unwritten.code }, `${unwritten.message}: nothing can be attacked`);
    const supervision = startSupervision(engine, log);
    const schedules = engine.runSchedules({
      onError: (error) => {
        log.error({ err: error }, 'a schedule could not be attended to');
      },
    });
    return { apps, metrics, supervision, deaths, schedules, urls, work, log };
  } catch (error) {
    await Promise.all(apps.map((app) => app.close()));
    throw error;
  }
}

/** Wait for something, at most so many ms. @returns whether it came to its end */
async function within(work: Promise<unknown>, ms: number): Promise<boolean> {
  let timer: NodeJS.Timeout | undefined;
  const tooLong = new Promise<false>((resolve) => {
    timer = setTimeout(resolve, ms, false);
  });
  try {
    return await Promise.race([work.then(() => true), tooLong]);
  } finally {
    clearTimeout(timer);
  }
}

/**
 * Stop taking on anything, finish what is under way, and leave what is live as it is. What does not come to its end in
 * time is undone.
 *
 * @returns false when not even that came to its end; whoever comes next repairs it from the journal
 */
async function stop(started: Started, force: AbortController): Promise<boolean> {
  const { apps, supervision, deaths, schedules, metrics, work } = started;
  // A connection whose last answer is out would be kept for a next request that is not wanted any more.
  const sweep = setInterval(() => {
    for (const { server } of apps) server.closeIdleConnections();
  }, sweepMs);
  const ends: readonly Promise<unknown>[] = [
    work.close(),
    schedules.stop(),
    supervision.stop(),
    deaths.stop(),
    ...apps.map((app) => app.close()),
  ];
  for (const end of ends) {
    end.catch((error: unknown) => {
      started.log.error({ err: error }, 'something could not be ended');
    });
  }
  // What cannot be ended must not cut off what is still under way: the journal is closed after this.
  const all = Promise.allSettled(ends);
  try {
    if (await within(all, graceMs)) return true;
    started.log.warn('what is under way takes too long, and is undone');
    force.abort();
    for (const { server } of apps) server.closeAllConnections();
    return await within(all, undoMs);
  } finally {
    clearInterval(sweep);
    metrics.close();
  }
}

async function serveUntilStopped(
  { urls, deaths }: Started,
  { watchDeaths }: ServerOptions,
  hooks: ServeHooks,
): Promise<void> {
  hooks.onListening(urls);
  if (watchDeaths) deaths.begin();
  await aborted(hooks.stop);
}

/**
 * Run the service until it is told to stop. Injections that are live then stay live: their leases are kept by the
 * keeper, and the next service or command picks them up.
 *
 * @returns whether all that was under way came to its end
 * @throws {FaultlineError} SERVER_RUNNING, SERVER_UNSAFE, ADDRESS_UNUSABLE, STATE_…
 */
export async function serve(options: ServerOptions, hooks: ServeHooks): Promise<boolean> {
  keepHeapSmall();
  const safety = await refuseUnsafe(options);
  const stream = logStream(2);
  const force = new AbortController();
  let observe = (_event: EngineEvent): void => undefined;
  const engine = openEngine({
    stateDir: options.stateDir,
    via: 'service',
    program: options.program,
    // systemd gives the service a mount namespace of its own; users are in that of init.
    viewPid: 1,
    interrupted: force.signal,
    observe: (event) => {
      observe(event);
    },
  });
  try {
    await engine.enterService('an address that it is about to take');
    try {
      const metrics = createMetrics(engine);
      const started = await start(engine, metrics, options, safety, stream);
      observe = (event) => {
        metrics.observe(event);
        logSchedules(started.log, event);
      };
      await within(stream.drained(), logPatienceMs); // so that these lines come after those of the log
      try {
        await serveUntilStopped(started, options, hooks);
      } catch (error) {
        // Nobody must be answered by a service that has no journal any more.
        await stop(started, force);
        throw error;
      }
      started.log.info('stopping');
      const finished = await stop(started, force);
      started.log.info('stopped');
      return finished;
    } finally {
      await engine.leaveService();
    }
  } finally {
    engine.close();
    await stream.drained();
  }
}
