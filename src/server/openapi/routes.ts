import type { FastifyInstance, RouteOptions } from 'fastify';
import { documentOptions } from './document.ts';
import { addPage } from './page.ts';

/** Both forms of the document. */
interface Rendered {
  readonly json: string;
  readonly yaml: string;
}

const noop = (): Promise<void> => Promise.resolve();

/** Made by an app that has the same routes, answers nothing and is thrown away. */
async function render(routes: readonly RouteOptions[]): Promise<Rendered> {
  const { fastify } = await import('fastify');
  const { default: swagger } = await import('@fastify/swagger');
  const app = fastify({ exposeHeadRoutes: false, routerOptions: { maxParamLength: 1_000 } });
  app.setValidatorCompiler(() => () => true);
  app.setSerializerCompiler(() => JSON.stringify);
  await app.register(swagger, documentOptions);
  for (const { method, url, schema, config } of routes) {
    app.route({ method, url, handler: noop, ...(schema === undefined ? {} : { schema }), config: { ...config } });
  }
  await app.ready();
  const rendered = { json: JSON.stringify(app.swagger(), undefined, 1), yaml: app.swagger({ yaml: true }) };
  await app.close();
  return rendered;
}

/**
 * `/openapi.json`, `/openapi.yaml` and the page that shows them. To be called before the routes are added that they are
 * to tell of.
 *
 * The start of the service pays for watching the routes come, and nothing else: the document is made when it is first
 * asked for, and kept.
 */
export function addOpenApi(app: FastifyInstance): void {
  const routes: RouteOptions[] = [];
  let rendered: Promise<Rendered> | undefined;
  app.addHook('onRoute', (route) => {
    if (route.schema?.hide !== true) routes.push(route);
  });
  const document = (): Promise<Rendered> => (rendered ??= render(routes));
  const options = { config: { role: 'nobody' }, schema: { hide: true } } as const;
  app.get('/openapi.json', options, async (_request, reply) =>
    reply.type('application/json; charset=utf-8').send((await document()).json),
  );
  app.get('/openapi.yaml', options, async (_request, reply) =>
    reply.type('application/yaml; charset=utf-8').send((await document()).yaml),
  );
  addPage(app);
}
