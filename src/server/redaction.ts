import { type Json, toJson } from '../base/json.ts';
import { withoutCommandOutput } from '../experiment/command-output.ts';

/*
 * A recover command may hold a password, and so may what it printed: a shell quotes the command in its errors. Whoever
 * may only look is told that there is one and how it ended, no more.
 */

const given = '(given)';

/** Fields that hold the command, or what it said, wherever in a document they stand. */
const secretFields: ReadonlyMap<string, string> = new Map([
  ['recoverCmd', given],
  ['command', given],
  ['output', '(hidden)'],
  ['notStarted', '(hidden)'],
]);

/** Shorter ones are hardly secret, and would be found in words that mean something else. */
const shortestSearched = 8;

function withoutText(text: string, secret: string): string {
  const quiet = withoutCommandOutput(text);
  return secret.length < shortestSearched ? quiet : quiet.replaceAll(secret, given);
}

function withoutField(name: string, value: Json, secret: string): Json {
  const instead = secretFields.get(name);
  return instead !== undefined && typeof value === 'string' ? instead : without(value, secret);
}

function without(value: Json, secret: string): Json {
  if (typeof value === 'string') return withoutText(value, secret);
  if (typeof value !== 'object' || value === null) return value;
  if (Array.isArray(value)) return value.map((one: Json) => without(one, secret));
  return Object.fromEntries(Object.entries(value).map(([name, one]) => [name, withoutField(name, one, secret)]));
}

/**
 * A document as those may see it who may only look.
 *
 * @param recoverCmd the command itself, where it is known: it is then found in any text
 */
export function forReaders<Document extends object>(document: Document, recoverCmd?: unknown): Document {
  const secret = typeof recoverCmd === 'string' ? recoverCmd : '';
  return without(toJson(document), secret) as unknown as Document;
}
