import { type ErrorDocument, errorOf } from '../../api/documents.ts';
import type { FaultlineError } from '../../base/error.ts';
import type { JsonObject } from '../../base/json.ts';
import { printable, printableLines } from '../../base/text.ts';
import type { Incoming } from './exchange.ts';
import { type Reason, unreachable } from './failures.ts';

const wrongAddress = 'look at the address: another program may answer there, or something in between';

function foreign({ status, type, location }: Incoming): Reason {
  if (status >= 300 && status < 400) {
    const to = location === '' ? '' : ` to ${printable(location.slice(0, 200))}`;
    return { sentence: `it sends elsewhere${to} (status ${status})`, hint: 'give the address that answers itself' };
  }
  const what = type === '' ? 'no type of content' : printable(type.slice(0, 80));
  return { sentence: `it does not answer as Faultline does (status ${status}, ${what})`, hint: wrongAddress };
}

function parsed(answer: Incoming): unknown {
  if (!/^application\/json\b/i.test(answer.type)) return undefined;
  try {
    return JSON.parse(answer.text);
  } catch {
    return undefined;
  }
}

export function isObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** `{"error": …}` and nothing beside it; an injection has a field of that name, too, but not alone. */
function errorIn(document: unknown): ErrorDocument | undefined {
  if (!isObject(document) || Object.keys(document).length !== 1) return undefined;
  const { error } = document;
  if (!isObject(error)) return undefined;
  const { code, message, hint, details } = error;
  if (typeof code !== 'string' || typeof message !== 'string') return undefined;
  return {
    code: printable(code),
    message: printable(message),
    hint: typeof hint === 'string' ? printableLines(hint) : null,
    ...(isObject(details) ? { details } : {}),
  };
}

/**
 * What a service answered. Its errors are thrown as they would be thrown here.
 *
 * @throws {FaultlineError} the service's own; SERVER_UNREACHABLE when the answer is not one of Faultline's
 */
export function readAnswer(
  url: string,
  answer: Incoming,
  lackingStatus?: number,
): { readonly status: number; readonly document: unknown } {
  const { status } = answer;
  const document = parsed(answer);
  // Whatever the status: that no target was chosen is an error that is none.
  const error = errorIn(document);
  if (error !== undefined) throw errorOf(error);
  const expected = (status >= 200 && status < 300) || status === lackingStatus;
  if (document === undefined || !expected) throw unreachable(url, foreign(answer));
  return { status, document };
}

/** An answer that is JSON, but not what was asked for. */
export function misshapen(url: string, what: string): FaultlineError {
  return unreachable(url, { sentence: `its answer is no ${what} as this version knows it`, hint: wrongAddress });
}
