import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { FaultlineError } from '../../base/error.ts';
import { printable } from '../../base/text.ts';
import { editDistance } from '../../targets/near-names.ts';

/** A path such as `/api/v1/injections/:uid`, and the methods that it takes. */
interface Route {
  readonly url: string;
  readonly methods: Set<string>;
}

/** Longer ones are like nothing that there is. */
const longestCompared = 120;
const mostNear = 3;

const segmentsOf = (url: string): readonly string[] => url.split('/').filter((one) => one !== '');

function matches(url: string, path: string): boolean {
  const [wanted, given] = [segmentsOf(url), segmentsOf(path)];
  return wanted.length === given.length && wanted.every((one, index) => one.startsWith(':') || one === given[index]);
}

function near(routes: readonly Route[], path: string): readonly string[] {
  if (path.length > longestCompared) return [];
  return routes
    .map(({ url }) => ({ url, distance: editDistance(path, url) }))
    .filter(({ url, distance }) => distance <= url.length / 2)
    .sort((a, b) => a.distance - b.distance || (a.url < b.url ? -1 : 1))
    .slice(0, mostNear)
    .map(({ url }) => url.replaceAll(/:(\w+)/g, '{$1}'));
}

function methodUnknown(request: FastifyRequest, reply: FastifyReply, methods: readonly string[]): FaultlineError {
  void reply.header('allow', methods.join(', '));
  return new FaultlineError('METHOD_UNKNOWN', `${request.method} is not what can be done with this path`, {
    hint: `it takes ${methods.join(', ')}`,
  });
}

/** The routes of a whole service, as they are added. */
type RouteTable = Map<string, Route>;

const tableOf = Symbol('routes that there are');

/** One table for the whole service: the routes of a plug-in are known to the others, whose paths they share. */
function watchedRoutes(app: FastifyInstance): RouteTable {
  if (app.hasDecorator(tableOf)) return app.getDecorator<RouteTable>(tableOf);
  const routes: RouteTable = new Map();
  app.decorate(tableOf, routes);
  app.addHook('onRoute', ({ url, method }) => {
    const route = routes.get(url) ?? { url, methods: new Set<string>() };
    for (const one of [method].flat()) route.methods.add(one);
    routes.set(url, route);
  });
  return routes;
}

/**
 * Refuse what no route answers: another method of a path that there is, with those that it takes; any other path, with
 * those that are like it. To be called before the routes are added, and again in a plug-in whose prefix lies within
 * that of another one that has an answer of its own.
 */
export function refuseUnknownRoutes(app: FastifyInstance): void {
  const routes = watchedRoutes(app);
  app.setNotFoundHandler((request, reply) => {
    const [path = ''] = request.url.split('?');
    const there = [...routes.values()];
    const methods = there.filter(({ url }) => matches(url, path)).flatMap((one) => [...one.methods]);
    if (methods.length > 0) throw methodUnknown(request, reply, [...new Set(methods)].sort());
    const like = near(there, path);
    throw new FaultlineError('ROUTE_UNKNOWN', `there is nothing at ${printable(path.slice(0, longestCompared))}`, {
      hint: like.length > 0 ? `there is ${like.join(', ')}` : 'GET /openapi.json tells what there is',
    });
  });
}
