import { readProcessRecord } from './read.ts';

/**
 * How many files this process may have open at a time: the soft limit RLIMIT_NOFILE, proc_pid_limits(5).
 *
 * @returns undefined where it has no limit, or it cannot be told
 */
export function openFileLimit(): number | undefined {
  const text = readProcessRecord('self', 'limits')?.toString('latin1') ?? '';
  const limit = /^Max open files +(\d+) /m.exec(text)?.[1];
  return limit === undefined ? undefined : Number(limit);
}
