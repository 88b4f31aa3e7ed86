/// <reference types="@fastify/swagger" />
import type { FastifyPluginAsync } from 'fastify';
import type { Service } from '../service.ts';
import { attackRoutes, recoveryRoutes } from './attack.ts';
import { answerError, answerNotFound } from './errors.ts';
import { experimentRoutes } from './experiments.ts';
import { systemRoutes } from './system.ts';

/**
 * What all of chaosd's routes share: its shape of errors, and bodies that are read here, since chaosd's clients fill in
 * what they do not mean. The schemas of the routes are for the documentation.
 */
function answerAsChaosd(...routes: readonly FastifyPluginAsync[]): FastifyPluginAsync {
  return async (app) => {
    app.setErrorHandler(answerError);
    app.setNotFoundHandler(answerNotFound);
    app.setValidatorCompiler(() => () => true);
    app.setSerializerCompiler(() => (document) => JSON.stringify(document));
    for (const plugin of routes) await app.register(plugin);
  };
}

/** chaosd's whole HTTP API, to be registered under `/api`. */
export function chaosdRoutes(service: Service): FastifyPluginAsync {
  return answerAsChaosd(attackRoutes(service), recoveryRoutes(service), experimentRoutes(service), systemRoutes);
}

/** What the plain port answers where the API has a certificate, also under `/api`. */
export function chaosdSystemRoutes(): FastifyPluginAsync {
  return answerAsChaosd(systemRoutes);
}
