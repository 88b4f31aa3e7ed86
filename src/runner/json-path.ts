import type { Json } from '../base/json.ts';

type Library = typeof import('json-p3');

/** Loaded with the first experiment that has a query: most have none. */
let library: Library | undefined;

/**
 * Load what queries need, and check one. Whoever asks {@link firstFound} must have done so before.
 *
 * @returns why it is no query (RFC 9535), or undefined
 */
export async function refuseQuery(query: string): Promise<string | undefined> {
  library ??= await import('json-p3');
  try {
    library.jsonpath.compile(query);
    return undefined;
  } catch (error) {
    return error instanceof Error ? (error.message.split('\n')[0] ?? '') : String(error);
  }
}

/** What a query finds first in a text; undefined: nothing, or the text is no JSON. */
export function firstFound(query: string, text: string): Json | undefined {
  if (library === undefined) throw new Error('the query was not checked before it was asked');
  try {
    // The library's own type of JSON is a mutable one; it changes nothing.
    const document = JSON.parse(text) as Parameters<Library['jsonpath']['query']>[1];
    return library.jsonpath.query(query, document).nodes[0]?.value as Json | undefined;
  } catch {
    // No JSON, or one that is nested too deeply to be searched.
    return undefined;
  }
}
