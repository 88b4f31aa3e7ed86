/** Plain data that survives `JSON.stringify` unchanged: what the journal, the API and `-o json` carry. */
export type Json = string | number | boolean | null | readonly Json[] | JsonObject;

export interface JsonObject {
  readonly [key: string]: Json;
}

/** A value as text for people: strings as they are, all else as JSON. */
export function textOf(value: unknown): string {
  return typeof value === 'string' || value === undefined ? (value ?? 'nothing') : JSON.stringify(value);
}

/** Any serialisable value as the plain data it is in JSON: what is undefined is left out. */
export function toJson(value: unknown): Json {
  return JSON.parse(JSON.stringify(value)) as Json;
}
