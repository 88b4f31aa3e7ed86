import type { FastifyInstance } from 'fastify';
import { type ErrorDocument, errorDocument } from '../../api/documents.ts';
import { errorCodes } from '../../base/error-codes.ts';
import { FaultlineError } from '../../base/error.ts';
import { fromFastify } from '../request-error.ts';

/** The body of every answer that is an error. */
export interface ErrorAnswer {
  readonly error: ErrorDocument;
}

/**
 * The status of an error that was thrown. Codes that the table counts as success stand in documents, as what they lack
 * of what was asked for; thrown, such a code means that there is no document: nothing was done, though it might be at
 * another time. So it is with TARGET_NONE, when the dice chose nobody.
 */
export function statusOf({ code }: FaultlineError): number {
  const { http } = errorCodes[code];
  return http < 400 ? 409 : http;
}

export function errorAnswer(error: FaultlineError): ErrorAnswer {
  return { error: errorDocument(error) };
}

/** Tell errors as documents. One that nobody expected goes into the log with its stack, and its message alone to the client. */
export function answerErrors(app: FastifyInstance): void {
  app.setErrorHandler(async (error, request, reply) => {
    const known = error instanceof FaultlineError ? error : fromFastify(error);
    const status = statusOf(known);
    if (known.code === 'UNEXPECTED') request.log.error({ err: error }, 'a request failed unexpectedly');
    else if (status >= 500) request.log.error({ code: known.code }, known.message);
    return reply.code(status).send(errorAnswer(known));
  });
}
