import type { FastifyBaseLogger, FastifyInstance } from 'fastify';
import { addAccess } from './access/access.ts';
import type { RefusalLog } from './access/refusals.ts';
import { chaosdRoutes, chaosdSystemRoutes } from './chaosd/routes.ts';
import { eventRoutes } from './events/routes.ts';
import { clientErrorHandler } from './limits/client-error.ts';
import { affordableConnections, defaultPatienceMs, serverFactory } from './limits/http-server.ts';
import { addJsonBody } from './limits/json-body.ts';
import { rateLimit } from './limits/rate.ts';
import type { Metrics } from './metrics/metrics.ts';
import { addOpenApi } from './openapi/routes.ts';
import { identifyRequests } from './request-id.ts';
import { logRequests } from './request-log.ts';
import type { Safety } from './safety.ts';
import type { Service } from './service.ts';
import { answerError, answerErrors } from './v1/errors.ts';
import { v1Routes } from './v1/routes.ts';
import { refuseUnknownRoutes } from './v1/unknown-route.ts';

/** What the listeners of one service share. */
export interface AppContext {
  readonly service: Service;
  readonly safety: Safety;
  readonly refusals: RefusalLog;
  readonly metrics: Metrics;
  readonly log: FastifyBaseLogger;
}

/** uids have up to 128 characters; longer ones are refused in words, up to here. */
const maxParamLength = 2_048;

/** A server with its limits, its callers and its log, and no routes yet. */
async function emptyApp({ service, safety, refusals, metrics, log }: AppContext, tls: Safety['tls']) {
  const { fastify, LogController } = await import('fastify');
  const { options } = service;
  const limits = { maxConnections: affordableConnections(options.maxConnections), patienceMs: defaultPatienceMs };
  const app: FastifyInstance = fastify({
    loggerInstance: log,
    logController: new LogController({ disableRequestLogging: true }),
    bodyLimit: options.maxBodyBytes,
    forceCloseConnections: 'idle',
    routerOptions: { maxParamLength },
    serverFactory: serverFactory(limits, tls),
    clientErrorHandler: clientErrorHandler(refusals),
    frameworkErrors: answerError,
  });
  answerErrors(app);
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
export async function buildApp(context: AppContext): Promise<FastifyInstance> {
  const { service, metrics, safety } = context;
  const app = await emptyApp(context, safety.tls);
  await addOpenApi(app);
  await app.register(chaosdRoutes(service), { prefix: '/api' });
  await app.register(v1Routes(service), { prefix: '/api/v1' });
  await app.register(eventRoutes(service, metrics.streams), { prefix: '/api/v1' });
  await app.register(metrics.routes);
  return app;
}

/** What chaosd leaves on its plain port where the API has a certificate: whether it is there, and which version. */
export async function buildSystemApp(context: AppContext): Promise<FastifyInstance> {
  const app = await emptyApp(context, undefined);
  await app.register(chaosdSystemRoutes(), { prefix: '/api' });
  return app;
}
