import type { FastifyPluginAsync } from 'fastify';
import type { Service } from '../service.ts';
import { auditRoutes } from './audit.ts';
import { faultRoutes } from './faults.ts';
import { haltRoutes } from './halt.ts';
import { hostRoutes } from './host.ts';
import { attackRoutes } from './attacks.ts';
import { injectionRoutes } from './injections.ts';
import { scheduleRoutes } from './schedules.ts';
import { refuseUnknownRoutes } from './unknown-route.ts';

/**
 * Our own API, to be registered under `/api/v1` of a service that answers errors by `answerErrors`.
 *
 * Bodies and queries are checked where they are read, by the schemas that the routes show: a check of the union of all
 * attacks could not say which field is wrong. Answers are what `JSON.stringify` makes of the documents.
 */
export function v1Routes(service: Service): FastifyPluginAsync {
  return async (app) => {
    refuseUnknownRoutes(app);
    app.setValidatorCompiler(() => () => true);
    app.setSerializerCompiler(() => (document) => JSON.stringify(document));
    app.addHook('onSend', (_request, reply, payload, done) => {
      // What is asked for again may have changed.
      if (!reply.hasHeader('cache-control')) reply.header('cache-control', 'no-store');
      done(null, payload);
    });
    for (const routes of [attackRoutes, injectionRoutes, haltRoutes, scheduleRoutes, auditRoutes, hostRoutes]) {
      await app.register(routes(service));
    }
    await app.register(faultRoutes);
  };
}
