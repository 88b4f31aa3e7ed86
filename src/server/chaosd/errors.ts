import type { FastifyReply, FastifyRequest } from 'fastify';
import { type ErrorCode, errorCodes } from '../../base/error-codes.ts';
import { FaultlineError } from '../../base/error.ts';
import { boolean, object, string } from '../../base/schema-types.ts';
import { printable, printableLines } from '../../base/text.ts';
import { faults } from '../../faults/registry.ts';
import { fromFastify } from '../request-error.ts';

/** chaosd's words for what went wrong. */
type ChaosdCode =
  | 'error.api.invalid_request'
  | 'error.api.resource_not_found'
  | 'error.api.internal_server_error'
  | 'error.api.auth';

/** What chaosd answers when something went wrong, in this order. */
export interface ChaosdError {
  readonly error: true;
  /** The code, a colon, and the sentence, as chaosd has it. */
  readonly message: string;
  readonly code: ChaosdCode;
  /** The message again, and after it what helps; chaosd has the stack there. */
  readonly full_text: string;
}

const errorSchema = object(
  { error: boolean(), message: string(), code: string(), full_text: string() },
  { description: 'What went wrong' },
);

/** The answers that every route may give. */
export const errorAnswers = { '4xx': errorSchema, '5xx': errorSchema };

/** Where chaosd's clients know another status than the one that our own API has. */
const chaosdStatus: Partial<Readonly<Record<ErrorCode, number>>> = {
  // chaosd finds out only when it attacks, and whatever goes wrong there is a 500.
  PROCESS_NOT_FOUND: 500,
  INJECTION_EXISTS: 400,
  SCHEDULE_EXISTS: 400,
};

const authCodes: ReadonlySet<ErrorCode> = new Set<ErrorCode>(['UNAUTHENTICATED', 'FORBIDDEN', 'PERMISSION_DENIED']);

function statusOf({ code }: FaultlineError): number {
  return chaosdStatus[code] ?? errorCodes[code].http;
}

function codeOf(error: FaultlineError, status: number): ChaosdCode {
  if (authCodes.has(error.code)) return 'error.api.auth';
  if (status === 404) return 'error.api.resource_not_found';
  return status >= 499 ? 'error.api.internal_server_error' : 'error.api.invalid_request';
}

function bodyOf(error: FaultlineError, status: number): ChaosdError {
  const code = codeOf(error, status);
  const message = `${code}: ${printable(error.message)}`;
  const hint = error.hint === undefined ? '' : `\n hint: ${printableLines(error.hint)}`;
  return { error: true, message, code, full_text: `${message}${hint}\n code: ${error.code}` };
}

/** Fastify's error handler for everything that answers in chaosd's shape. */
export async function answerError(error: unknown, request: FastifyRequest, reply: FastifyReply): Promise<void> {
  const known = fromFastify(error);
  const status = statusOf(known);
  if (known.code === 'UNEXPECTED') request.log.error({ err: error }, 'a request failed unexpectedly');
  await reply.code(status).header('content-type', 'application/json; charset=utf-8').send(bodyOf(known, status));
}

/** The kinds that can be attacked here, for whoever asks for another. */
export function kindUnknown(kind: string): FaultlineError {
  return new FaultlineError('FAULT_UNKNOWN', `there is no attack "${printable(kind.slice(0, 80))}"`, {
    hint: `there is: ${faults.map((fault) => fault.kind).join(', ')}`,
  });
}

/** Fastify's handler for what no route answers. */
export async function answerNotFound(request: FastifyRequest, reply: FastifyReply): Promise<void> {
  const [path = ''] = request.url.split('?');
  const sentence = `nothing answers ${request.method} ${path.slice(0, 200)}`;
  await answerError(
    new FaultlineError('ROUTE_UNKNOWN', sentence, {
      hint: 'POST /api/attack/{kind}, DELETE /api/attack/{uid}, GET /api/experiments/, GET /api/system/health',
    }),
    request,
    reply,
  );
}
