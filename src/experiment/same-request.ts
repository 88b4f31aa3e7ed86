import { isDeepStrictEqual } from 'node:util';
import { type JsonObject, toJson } from '../base/json.ts';
import { faultOf } from '../faults/registry.ts';
import { limitsToJson } from './guard.ts';
import type { AttackRequest } from './request.ts';

/** What is known of an injection that was asked for before. */
export interface Asked {
  readonly kind: string;
  readonly action: string;
  readonly leaseMs: number | null;
  /** Whole, as it is in the journal. */
  readonly spec: JsonObject;
}

/** The fault's spec with what the engine has to remember of the request beside it. */
export function specOf({ limits, allowOverlap, allowProtected }: AttackRequest, spec: JsonObject): JsonObject {
  return { ...spec, ...limitsToJson(limits), allowOverlap, allowProtected };
}

/**
 * What a request asks for otherwise than an injection was asked for: names of its fields; none when it is the same.
 *
 * @throws {FaultlineError} whatever the fault has against the request
 */
export async function differencesFrom(asked: Asked, request: AttackRequest): Promise<readonly string[]> {
  const fault = await faultOf(request.kind).load();
  const spec = toJson(specOf(request, await fault.parse(request.action, request.input))) as JsonObject;
  const known = toJson(asked.spec) as JsonObject;
  const names = new Set([...Object.keys(known), ...Object.keys(spec)]);
  return [
    ...(asked.kind === request.kind ? [] : ['kind']),
    ...(asked.action === request.action ? [] : ['action']),
    ...[...names].filter((name) => !isDeepStrictEqual(known[name], spec[name])),
    ...(asked.leaseMs === (request.leaseMs ?? null) ? [] : ['duration']),
  ];
}
