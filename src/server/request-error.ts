import type { ErrorCode } from '../base/error-codes.ts';
import { asFaultlineError, FaultlineError } from '../base/error.ts';
import { textOf } from '../base/json.ts';
import { printable } from '../base/text.ts';

interface Meaning {
  readonly code: ErrorCode;
  readonly sentence: string;
  readonly hint?: string;
}

const json = 'send one JSON document in UTF-8, with content-type: application/json';

/** What fastify, its plug-ins and Node's HTTP parser refuse a request for, by their codes. */
const meanings: ReadonlyMap<string, Meaning> = new Map([
  ['FST_ERR_CTP_BODY_TOO_LARGE', { code: 'REQUEST_TOO_LARGE', sentence: 'the body of the request is too large' }],
  ['FST_ERR_CTP_INVALID_MEDIA_TYPE', { code: 'MEDIA_UNSUPPORTED', sentence: 'the body is not JSON', hint: json }],
  [
    'FST_ERR_CTP_EMPTY_JSON_BODY',
    { code: 'ARGUMENT_INVALID', sentence: 'the body of the request is empty', hint: json },
  ],
  ['FST_ERR_CTP_INVALID_JSON_BODY', { code: 'ARGUMENT_INVALID', sentence: 'the body is not valid JSON', hint: json }],
  [
    'FST_ERR_CTP_INVALID_CONTENT_LENGTH',
    { code: 'ARGUMENT_INVALID', sentence: 'the body is not as long as content-length says' },
  ],
  ['FST_ERR_BAD_URL', { code: 'ARGUMENT_INVALID', sentence: 'the path of the request cannot be decoded' }],
  ['FST_ERR_MAX_PARAM_LENGTH', { code: 'ARGUMENT_INVALID', sentence: 'a part of the path is too long' }],
  ['FST_ERR_NOT_FOUND', { code: 'ROUTE_UNKNOWN', sentence: 'there is nothing at this path' }],
  ['ERR_HTTP_REQUEST_TIMEOUT', { code: 'REQUEST_TOO_SLOW', sentence: 'the request did not arrive in time' }],
  ['HPE_HEADER_OVERFLOW', { code: 'REQUEST_TOO_LARGE', sentence: 'the path and headers of the request are too long' }],
  [
    'HPE_CHUNK_EXTENSIONS_OVERFLOW',
    { code: 'REQUEST_TOO_LARGE', sentence: 'the chunks of the body have extensions that are too long' },
  ],
  // Nobody reads the answer to these, yet they must not pass for faults of the service.
  ['ECONNRESET', { code: 'INTERRUPTED', sentence: 'the caller went away before the request was complete' }],
  ['EPIPE', { code: 'INTERRUPTED', sentence: 'the caller went away before the answer was complete' }],
]);

function property(error: unknown, name: 'code' | 'statusCode'): unknown {
  return typeof error === 'object' && error !== null && name in error
    ? (error as Record<string, unknown>)[name]
    : undefined;
}

const messageOf = (error: unknown): string => printable(error instanceof Error ? error.message : String(error));

/** Errors of the HTTP parser other than those above: the message is no HTTP. */
function isParseError(code: string): boolean {
  return code.startsWith('HPE_') || code.startsWith('ERR_HTTP_');
}

/**
 * Whatever a handler, a hook, fastify or Node's HTTP server has thrown, as the error that the caller is told. What is
 * the caller's fault is never told as ours. Anything unforeseen becomes UNEXPECTED: log it with its stack.
 */
export function fromFastify(error: unknown): FaultlineError {
  if (error instanceof FaultlineError) return error;
  const code = textOf(property(error, 'code') ?? '');
  const meaning = meanings.get(code);
  if (meaning !== undefined) {
    const hint = meaning.hint === undefined ? {} : { hint: meaning.hint };
    return new FaultlineError(meaning.code, meaning.sentence, { ...hint, cause: error });
  }
  const status = Number(property(error, 'statusCode') ?? 0);
  if (isParseError(code) && status === 0) {
    return new FaultlineError('ARGUMENT_INVALID', `this is not HTTP/1.1: ${messageOf(error)}`, { cause: error });
  }
  if (status >= 400 && status < 500) return new FaultlineError('ARGUMENT_INVALID', messageOf(error), { cause: error });
  return asFaultlineError(error);
}
