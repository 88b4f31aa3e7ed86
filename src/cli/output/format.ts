import { FaultlineError } from '../../base/error.ts';
import type { Json } from '../../base/json.ts';
import { printable } from '../../base/text.ts';
import { say } from './style.ts';

export type Format = 'text' | 'json' | 'yaml';

export const formats: readonly string[] = ['text', 'json', 'yaml'] satisfies Format[];

export function isFormat(text: string): text is Format {
  return formats.includes(text);
}

/** @throws {FaultlineError} ARGUMENT_INVALID */
export function parseFormat(text: string | undefined): Format {
  if (text === undefined) return 'text';
  if (isFormat(text)) return text;
  throw new FaultlineError('ARGUMENT_INVALID', `there is no output format "${printable(text)}"`, {
    hint: `there is: ${formats.join(', ')}`,
  });
}

/** Escape what JSON leaves as it is but a terminal would act upon: C1 controls, bidirectional overrides. */
function harmless(json: string): string {
  if (/^[\n -~]*$/.test(json)) return json;
  const escaped = (unit: string): string => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`;
  return json.replaceAll(/[\u007f-\u009f\p{Cf}\p{Zl}\p{Zp}]/gu, (character) =>
    character.split('').map(escaped).join(''),
  );
}

/** Print a document for machines. */
export async function sayDocument(document: Json, format: 'json' | 'yaml'): Promise<void> {
  if (format === 'json') {
    say(harmless(JSON.stringify(document, null, 2)));
    return;
  }
  const { stringify } = await import('yaml');
  // YAML has no escape that works in every style of string: what is not printable is spelled out.
  const spelled: unknown = JSON.parse(JSON.stringify(document), (_key, value: unknown) =>
    typeof value === 'string' ? printable(value) : value,
  );
  say(stringify(spelled, { version: '1.1' }).trimEnd());
}

/** A document for machines as one line of many. @param document as `JSON.stringify` takes it */
export function jsonLine(document: object): string {
  return harmless(JSON.stringify(document));
}
