import { FaultlineError } from '../base/error.ts';
import type { JsonObject } from '../base/json.ts';

/** An error as the journal and `-o json` carry it. */
export function errorToJson(error: unknown): JsonObject {
  if (error instanceof FaultlineError) {
    return { code: error.code, message: error.message, hint: error.hint ?? null };
  }
  return { code: 'UNEXPECTED', message: error instanceof Error ? error.message : String(error), hint: null };
}
