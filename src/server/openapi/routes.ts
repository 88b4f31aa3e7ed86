import type { FastifyInstance } from 'fastify';
import { documentOptions } from './document.ts';
import { addPage } from './page.ts';

/**
 * `/openapi.json`, `/openapi.yaml` and the page that shows them. To be called before the routes are added that they are
 * to tell of.
 *
 * Watching the routes come costs the start of the service next to nothing; the document is made when it is first asked
 * for, and kept.
 */
export async function addOpenApi(app: FastifyInstance): Promise<void> {
  const { default: swagger } = await import('@fastify/swagger');
  await app.register(swagger, documentOptions);
  const options = { config: { role: 'nobody' }, schema: { hide: true } } as const;
  app.get('/openapi.json', options, (_request, reply) =>
    reply.type('application/json; charset=utf-8').send(JSON.stringify(app.swagger(), undefined, 1)),
  );
  app.get('/openapi.yaml', options, (_request, reply) =>
    reply.type('application/yaml; charset=utf-8').send(app.swagger({ yaml: true })),
  );
  addPage(app);
}
