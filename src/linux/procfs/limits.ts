import { type ProcessRef, readProcessRecord } from './read.ts';

/** How many files a process may have open at a time: RLIMIT_NOFILE, getrlimit(2). Undefined: without limit. */
export interface OpenFileLimits {
  readonly soft: number | undefined;
  /** To which the process may raise the soft limit itself. */
  readonly hard: number | undefined;
}

/**
 * RLIMIT_NOFILE of a process, by default of this one: proc_pid_limits(5).
 *
 * @returns without limits, too, where they cannot be told
 */
export function openFileLimits(process: ProcessRef = 'self'): OpenFileLimits {
  const text = readProcessRecord(process, 'limits')?.toString('latin1') ?? '';
  const [, soft, hard] = /^Max open files +(\w+) +(\w+) /m.exec(text) ?? [];
  return Object.freeze({ soft: numberOf(soft), hard: numberOf(hard) });
}

/** How many files this process may have open at a time; undefined where it has no limit, or it cannot be told. */
export function openFileLimit(): number | undefined {
  return openFileLimits().soft;
}

function numberOf(limit: string | undefined): number | undefined {
  return limit === undefined || limit === 'unlimited' ? undefined : Number(limit);
}
