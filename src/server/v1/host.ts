import type { FastifyPluginAsync } from 'fastify';
import { version } from '../../base/version.ts';
import type { Service } from '../service.ts';
import { operationsOf } from './asking.ts';
import { errorAnswers } from './schemas/answers.ts';
import { hostAnswerSchema, versionAnswerSchema } from './schemas/host.ts';

const hostSchema = {
  operationId: 'host',
  summary: 'What this host supports, part by part',
  response: { 200: hostAnswerSchema, ...errorAnswers },
};

const versionSchema = {
  operationId: 'version',
  summary: 'Which version answers',
  response: { 200: versionAnswerSchema, ...errorAnswers },
};

const versionAnswer = Object.freeze({
  version,
  node: process.versions.node,
  platform: process.platform,
  arch: process.arch,
});

/** `/host` and `/version`. */
export function hostRoutes(service: Service): FastifyPluginAsync {
  return (app) => {
    app.get('/host', { config: { role: 'read' }, schema: hostSchema }, async (request) => ({
      parts: await operationsOf(service, request).examine(),
    }));
    app.get('/version', { config: { role: 'read' }, schema: versionSchema }, () => Promise.resolve(versionAnswer));
    return Promise.resolve();
  };
}
