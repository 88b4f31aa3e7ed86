import type { ErrorCode } from './error-codes.ts';
import { printable, printableLines } from './text.ts';

export interface ErrorExtras {
  /** What the user can do about it: a sentence without a full stop at the end is fine. May have several lines. */
  readonly hint?: string;
  readonly cause?: unknown;
  /** Facts for machines, shown with `-o json`. */
  readonly details?: Readonly<Record<string, unknown>>;
}

/**
 * An error that Faultline expects: something about the input, the targets or the host that a person can act on.
 *
 * It is printed in two lines, without a stack. Anything else that is thrown is a bug and is printed with its stack.
 *
 * Sentence and hint are made harmless to print, whoever forgot that a part of them was given by a stranger.
 */
export class FaultlineError extends Error {
  readonly code: ErrorCode;
  readonly hint: string | undefined;
  readonly details: Readonly<Record<string, unknown>> | undefined;

  constructor(code: ErrorCode, sentence: string, extras: ErrorExtras = {}) {
    super(printable(sentence), extras.cause === undefined ? undefined : { cause: extras.cause });
    this.name = 'FaultlineError';
    this.code = code;
    this.hint = extras.hint === undefined ? undefined : printableLines(extras.hint);
    this.details = extras.details;
  }
}

/** Is this an expected error, and, where a code is given, that one? */
export function isFaultlineError(error: unknown, code?: ErrorCode): error is FaultlineError {
  return error instanceof FaultlineError && (code === undefined || error.code === code);
}

/**
 * Whatever was thrown as an error that can be told beside others: for work that must go on with the next item after a
 * bug or a broken host.
 */
export function asFaultlineError(error: unknown): FaultlineError {
  if (error instanceof FaultlineError) return error;
  const message = error instanceof Error ? error.message : String(error);
  return new FaultlineError('UNEXPECTED', message, {
    hint: 'this may be a bug in Faultline: please report it',
    cause: error,
  });
}
