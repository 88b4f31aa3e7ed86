import { FaultlineError } from '../base/error.ts';

/** What went wrong, for the run's reason. What is none of ours is a bug, and keeps its stack. */
export function wordsOf(error: unknown): string {
  if (error instanceof FaultlineError) return error.message;
  return `this is a bug in Faultline: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`;
}
