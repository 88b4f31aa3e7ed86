import { FaultlineError } from '../../base/error.ts';
import { errorCodes } from '../../base/error-codes.ts';
import type { Format } from './format.ts';
import { painterFor, remark } from './style.ts';

/** The exit code that an error ends the program with. */
export function exitCodeOf(error: unknown): number {
  return error instanceof FaultlineError ? errorCodes[error.code].exit : 1;
}

function asText(error: FaultlineError): string {
  const paint = painterFor('stderr');
  const lines = [`${paint('red', 'Error:')} ${error.message} [${error.code}]`];
  if (error.hint !== undefined) lines.push(`${paint('cyan', 'Hint:')} ${error.hint}`);
  return lines.join('\n');
}

function asJson(error: FaultlineError): string {
  const { code, message, hint, details } = error;
  return JSON.stringify({
    error: { code, message, hint: hint ?? null, ...(details === undefined ? {} : { details }) },
  });
}

/** Two lines for what is expected; the whole stack, and where to report it, for a bug. */
export function remarkError(error: unknown, format: Format): void {
  if (error instanceof FaultlineError) {
    remark(format === 'text' ? asText(error) : asJson(error));
    return;
  }
  const stack = error instanceof Error ? (error.stack ?? error.message) : String(error);
  remark(`Error: this is a bug in Faultline\n${stack}\nHint: please report it with the lines above`);
}
