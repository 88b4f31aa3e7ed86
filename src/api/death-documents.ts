import { type JsonObject, toJson } from '../base/json.ts';
import type { KeptDeath } from '../experiment/deaths.ts';

/** A death as it is told over a wire: the record, and its place in the order of deaths. */
export function deathDocument({ id, record }: KeptDeath): JsonObject {
  return { id, ...(toJson({ ...record, at: new Date(record.at).toISOString() }) as JsonObject) };
}
