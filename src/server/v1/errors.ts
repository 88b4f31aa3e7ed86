import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { type ErrorDocument, errorDocument } from '../../api/documents.ts';
import { errorCodes } from '../../base/error-codes.ts';
import type { FaultlineError } from '../../base/error.ts';
import { fromFastify } from '../request-error.ts';

/** The body of every answer that is an error. */
interface ErrorAnswer {
  readonly error: ErrorDocument;
}

/**
 * The status of an error that was thrown. Codes that the table counts as success stand in documents, as what they lack
 * of what was asked for; thrown, such a code means that there is no document: nothing was done, though it might be at
 * another time. So it is with TARGET_NONE, when the dice chose nobody.
 */
function statusOf({ code }: FaultlineError): number {
  const { http } = errorCodes[code];
  return http < 400 ? 409 : http;
}

function errorAnswer(error: FaultlineError): ErrorAnswer {
  return { error: errorDocument(error) };
}

/**
 * Tell an error as a document. One that nobody expected goes into the log with its stack, and its message alone to the
 * client.
 *
 * Fastify is given this as `frameworkErrors` as well, for paths that it cannot read.
 */
export function answerError(error: unknown, request: FastifyRequest, reply: FastifyReply): void {
  const known = fromFastify(error);
  const status = statusOf(known);
  if (known.code === 'UNEXPECTED') request.log.error({ err: error }, 'a request failed unexpectedly');
  else if (status >= 500) request.log.error({ code: known.code }, known.message);
  void reply
    .code(status)
    .type('application/json; charset=utf-8')
    .send(JSON.stringify(errorAnswer(known)));
}

export function answerErrors(app: FastifyInstance): void {
  app.setErrorHandler(answerError);
}
