import { parseGlob } from '../glob.ts';
import type { IoRule } from '../rule.ts';

/**
 * How many open files the kernel reads and writes past us, as no rule was about them when they were opened, though one
 * of these rules is.
 *
 * @param passed from the root of the volume on
 * @param volume as its users see it
 */
export function unreachedFiles(passed: readonly string[], volume: string, rules: readonly IoRule[]): number {
  const globs = rules
    .filter(({ methods }) => methods.includes('read') || methods.includes('write'))
    .map(({ path }) => (path === null ? undefined : parseGlob(path)));
  return passed.filter((path) => globs.some((glob) => glob === undefined || glob.matches(volume + path))).length;
}
