import type { FastifyDynamicSwaggerOptions } from '@fastify/swagger';
import type { RouteOptions } from 'fastify';
import { type Json, type JsonObject, toJson } from '../../base/json.ts';
import { version } from '../../base/version.ts';
import { published } from './published.ts';

/*
 * What @fastify/swagger is told, to make the OpenAPI document of the routes.
 *
 * Schemas are written with their parts in place. In the document a part that has an `$id` stands once, under
 * components, and is referred to: so clients made from it have one type for it, with a name.
 */

const description = `Faultline injects faults into a Linux host, proves that each took effect, and undoes it.

\`/api/v1\` is Faultline's own API; \`/api\` beside it is that of chaosd, for clients written for it.

On a loopback address without a token the service goes by who the caller is on the host, as the kernel tells it.
Otherwise it asks for a token, a client certificate, or both. \`x-role\` tells for each operation who may: \`read\` is
for looking, \`attack\` for all, and where it is \`nobody\` anybody may.

Every answer tells its \`x-request-id\`, by which the log and the audit log know the request; send one to choose it.`;

const securitySchemes = {
  bearer: { type: 'http', scheme: 'bearer', description: 'The token of a file that the service was given' },
  mutualTLS: { type: 'mutualTLS', description: 'A certificate that the CA of the service has signed' },
} as const; // `mutualTLS` is of OpenAPI 3.1, which the plug-in's types do not know

type Components = Map<string, Json>;

/** A copy in which named parts are references; the parts themselves are put into `components`. */
function withReferences(part: Json, components: Components): Json {
  if (typeof part !== 'object' || part === null) return part;
  if (Array.isArray(part)) return part.map((one: Json) => withReferences(one, components));
  const { 'x-name': name, ...rest } = part as JsonObject;
  const copy = (): Json =>
    Object.fromEntries(Object.entries(rest).map(([key, value]) => [key, withReferences(value, components)]));
  if (typeof name !== 'string') return copy();
  if (!components.has(name)) components.set(name, copy());
  return { $ref: `#/components/schemas/${name}` };
}

/** @fastify/swagger has its own way with `$id`, which names parts by numbers. */
function withNames(schema: Json): Json {
  if (typeof schema !== 'object' || schema === null) return schema;
  if (Array.isArray(schema)) return schema.map((one: Json) => withNames(one));
  const entries = Object.entries(schema).map(([key, value]): [string, Json] => [
    key === '$id' ? 'x-name' : key,
    withNames(value),
  ]);
  return Object.fromEntries(entries);
}

const tagOf = (url: string): string =>
  url.startsWith('/api/v1/') ? 'v1' : url.startsWith('/api/') ? 'chaosd' : 'service';

function documentedRoute({ schema, url, route }: { schema: object; url: string; route: RouteOptions }): {
  schema: object;
  url: string;
} {
  // A route without a schema is another spelling of one that has one.
  if ((schema as object | undefined) === undefined) return { schema: { hide: true }, url };
  const role = route.config?.role ?? 'attack';
  const access = role === 'nobody' ? { security: [] } : {};
  return {
    schema: { ...(withNames(published(schema)) as object), tags: [tagOf(url)], 'x-role': role, ...access },
    url,
  };
}

/** A body of which nothing is required may as well be left out. */
function bodyRequired(body: JsonObject): JsonObject {
  const media = (body['content'] as JsonObject)['application/json'] as { readonly schema?: JsonObject } | undefined;
  return { ...body, required: media?.schema?.['type'] !== 'object' || media.schema['required'] !== undefined };
}

/** Where all errors look alike they are the default, which generators of clients understand better than ranges. */
function responsesOf(responses: JsonObject): JsonObject {
  const { '4XX': refused, '5XX': failed, ...rest } = responses;
  if (refused === undefined || failed === undefined) return responses;
  return { ...rest, default: refused };
}

function operation(value: Json): Json {
  const { requestBody, responses, ...rest } = value as JsonObject;
  const body = requestBody === undefined ? {} : { requestBody: bodyRequired(requestBody as JsonObject) };
  return { ...rest, ...body, responses: responsesOf(responses as JsonObject) };
}

function mapValues(object: JsonObject, change: (value: Json) => Json): JsonObject {
  return Object.fromEntries(Object.entries(object).map(([key, value]) => [key, change(value)]));
}

/** The document as @fastify/swagger has made it, with its named parts under components. */
function finished(document: object): JsonObject {
  const { paths, components, ...rest } = toJson(document) as { paths: JsonObject; components: JsonObject };
  const schemas: Components = new Map();
  const operations = mapValues(paths, (path) => mapValues(path as JsonObject, operation));
  const referring = withReferences(operations, schemas);
  const named = Object.fromEntries([...schemas].sort(([a], [b]) => (a < b ? -1 : 1)));
  return { ...(rest as JsonObject), paths: referring, components: { ...components, schemas: named } };
}

export const documentOptions: FastifyDynamicSwaggerOptions = {
  openapi: {
    openapi: '3.1.0',
    info: {
      title: 'Faultline',
      version,
      description,
      license: { name: 'Apache-2.0', identifier: 'Apache-2.0' } as { name: string },
    },
    servers: [{ url: '/', description: 'This service' }],
    tags: [
      { name: 'v1', description: "Faultline's own API" },
      { name: 'chaosd', description: "chaosd's API, for clients written for it" },
      { name: 'service', description: 'The service itself' },
    ],
    components: { securitySchemes: securitySchemes as never },
    security: [{ bearer: [] }, { mutualTLS: [] }],
  },
  convertConstToEnum: false,
  transform: documentedRoute,
  transformObject: (document) => ('openapiObject' in document ? finished(document.openapiObject) : {}),
};
