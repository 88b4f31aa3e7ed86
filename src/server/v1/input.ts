import type { FastifyRequest } from 'fastify';
import { FaultlineError } from '../../base/error.ts';
import type { Json, JsonObject } from '../../base/json.ts';
import { parseInput } from '../../base/schema.ts';
import type { Static, TObject } from '../../base/schema-types.ts';
import { printable } from '../../base/text.ts';
import { attackSchema } from '../../experiment/request.ts';
import { mayNest } from '../nested-fields.ts';

function isPlain(value: unknown): value is Json {
  return typeof value !== 'object' || value === null;
}

/**
 * The body as an object of plain values and lists of such, but for fields that take more; no body at all is an empty
 * one. What is nested too deep was refused as it came in.
 *
 * @throws {FaultlineError} ARGUMENT_INVALID
 */
export function flatBody(body: unknown): JsonObject {
  if (body === undefined || body === null) return {};
  if (typeof body !== 'object' || Array.isArray(body)) {
    throw new FaultlineError('ARGUMENT_INVALID', 'the body is not a JSON object', {
      hint: 'for example {"kind":"process","action":"stop","process":"nginx","duration":"30s"}',
    });
  }
  for (const [field, value] of Object.entries(body)) {
    if (isPlain(value) || (Array.isArray(value) && value.every(isPlain)) || mayNest(field)) continue;
    throw new FaultlineError('ARGUMENT_INVALID', `${printable(field.slice(0, 80))} is not valid: it holds an object`, {
      hint: 'the body is flat: names with plain values or lists of them',
    });
  }
  return body as JsonObject;
}

/** The text of a query as the type that the schema wants; what is no such thing stays text, and is refused as such. */
function typed(type: unknown, value: unknown): unknown {
  if (typeof value !== 'string') return value;
  if (type === 'integer' && /^\d{1,15}$/.test(value)) return Number(value);
  if (type === 'boolean' && (value === 'true' || value === 'false')) return value === 'true';
  return value;
}

/**
 * The query string, checked.
 *
 * @throws {FaultlineError} ARGUMENT_INVALID, also for a name that is unknown or given twice
 */
export function parseQuery<Schema extends TObject>(schema: Schema, query: unknown): Promise<Static<Schema>> {
  const given = Object.entries(query as Readonly<Record<string, unknown>>);
  const types = new Map(Object.entries(schema.properties).map(([name, { type }]) => [name, type as unknown]));
  return parseInput(schema, Object.fromEntries(given.map(([name, value]) => [name, typed(types.get(name), value)])));
}

/** As it may be chosen; `~1` and so on are added to the uids of attempts that came to nothing. */
const uidPattern = new RegExp((attackSchema.properties.uid.pattern ?? '').replace(/\$$/, '(?:~\\d+)?$'));

/** The uid in the path. @throws {FaultlineError} UID_INVALID for what can be nobody's */
export function uidOf(request: FastifyRequest): string {
  const { uid } = request.params as { readonly uid?: string };
  if (uid !== undefined && uidPattern.test(uid)) return uid;
  throw new FaultlineError('UID_INVALID', `${printable((uid ?? '').slice(0, 80))} is no uid`, {
    hint: 'up to 128 letters, digits and . _ : -, beginning with a letter or digit',
  });
}
