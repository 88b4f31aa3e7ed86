import type { DeathRecord } from './death-record.ts';
import { faultText } from './fault-codes.ts';

/**
 * Of what kind a death was, in one word:
 * - `injection`: it was us;
 * - `oom`: the OOM killer;
 * - `fault`: a signal that the process brought on itself, by what it did: SIGSEGV, SIGFPE and their like;
 * - `signal`: any other signal;
 * - `failed`, `exited`: it exited by itself, with another code than 0, or with 0;
 * - `unknown`: how it ended was not seen.
 */
export const deathCauses = ['injection', 'oom', 'fault', 'signal', 'failed', 'exited', 'unknown'] as const;

export type DeathCause = (typeof deathCauses)[number];

export function deathCause({ injection, oom, end, signal }: DeathRecord): DeathCause {
  if (injection !== null) return 'injection';
  if (oom !== null) return 'oom';
  if (end === null) return 'unknown';
  if (end.kind === 'exited') return end.code === 0 ? 'exited' : 'failed';
  return signal !== null && faultText(signal.number, signal.code) !== undefined ? 'fault' : 'signal';
}
