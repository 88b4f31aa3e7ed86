import type { FastifyBaseLogger, FastifyInstance, FastifyServerOptions } from 'fastify';
import { addAccess } from './access/access.ts';
import type { RefusalLog } from './access/refusals.ts';
import { chaosdRoutes, chaosdSystemRoutes } from './chaosd/routes.ts';
import { deathRoutes } from './deaths/routes.ts';
import { eventRoutes } from './events/routes.ts';
import { clientErrorHandler } from './limits/client-error.ts';
import { affordableConnections, defaultPatienceMs, serverFactory } from './limits/http-server.ts';
import { addJsonBody } from './limits/json-body.ts';
import { limitPipelining } from './limits/pipelining.ts';
import { rateLimit } from './limits/rate.ts';
import type { LogStream } from './log.ts';
import type { Metrics } from './metrics/metrics.ts';
import { addOpenApi } from './openapi/routes.ts';
import type { ServerOptions } from './options.ts';
import { identifyRequests } from './request-id.ts';
import { logRequests } from './request-log.ts';
import type { Safety } from './safety.ts';
import type { Service } from './service.ts';
import { answerError, answerErrors } from './v1/errors.ts';
import { v1Routes } from './v1/routes.ts';
import { refuseUnknownRoutes } from './v1/unknown-route.ts';

/** What the listeners of one service share. */
export interface AppContext {
  readonly options: ServerOptions;
  readonly safety: Safety;
  readonly refusals: RefusalLog;
  readonly metrics: Metrics;
}

/** Where an app writes its log: a new one, or that of another app. */
export type LogTarget = { readonly level: string; readonly stream: LogStream } | FastifyBaseLogger;

/**
 * Routes here check what they are given themselves, and answer with what `JSON.stringify` makes of their documents. The
 * compilers that fastify would load otherwise take a tenth of the start.
 */
const compilers = {
  compilersFactory: {
    buildValidator: () => () => () => true,
    buildSerializer: () => () => (document: unknown) => JSON.stringify(document),
  },
} as unknown as NonNullable<FastifyServerOptions['schemaController']>; // its types know no compilers but its own

/** uids have up to 128 characters; longer ones are refused in words, up to here. */
const maxParamLength = 2_048;

/** A server with its limits, its callers and its log, and no routes yet. */
export async function newApp(context: AppContext, tls: Safety['tls'], log: LogTarget): Promise<FastifyInstance> {
  const { fastify, LogController } = await import('fastify');
  const { options, safety, refusals, metrics } = context;
  const limits = { maxConnections: affordableConnections(options.maxConnections), patienceMs: defaultPatienceMs };
  const app: FastifyInstance = fastify({
    ...('stream' in log ? { logger: log } : { loggerInstance: log }),
    schemaController: compilers,
    logController: new LogController({ disableRequestLogging: true }),
    bodyLimit: options.maxBodyBytes,
    forceCloseConnections: 'idle',
    return503OnClosing: false, // who comes so late is told in the shape of the API
    routerOptions: { maxParamLength },
    serverFactory: serverFactory(limits, tls),
    clientErrorHandler: clientErrorHandler(refusals),
    frameworkErrors: answerError,
  });
  answerErrors(app);
  limitPipelining(app);
  identifyRequests(app);
  logRequests(app);
  metrics.addRequestMetrics(app);
  addAccess(app, {
    tokens: safety.tokens,
    clientCertificates: tls?.clientCertificates === true,
    names: safety.names,
    refusals,
    limitRate: await rateLimit(app, options.maxRate),
  });
  addJsonBody(app);
  refuseUnknownRoutes(app);
  return app;
}

/** The whole API. */
export async function addApi(app: FastifyInstance, service: Service, metrics: Metrics): Promise<void> {
  addOpenApi(app);
  await app.register(chaosdRoutes(service), { prefix: '/api' });
  await app.register(v1Routes(service), { prefix: '/api/v1' });
  await app.register(eventRoutes(service, metrics.streams), { prefix: '/api/v1' });
  await app.register(deathRoutes(service), { prefix: '/api/v1' });
  await app.register(metrics.routes);
}

/** What chaosd leaves on its plain port where the API has a certificate: whether it is there, and which version. */
export async function addSystem(app: FastifyInstance): Promise<void> {
  await app.register(chaosdSystemRoutes(), { prefix: '/api' });
}
