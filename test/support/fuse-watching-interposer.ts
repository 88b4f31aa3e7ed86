import type { Interposer } from '../../src/linux/fuse/interposer.ts';
import type { RuleChannel } from './fuse-rule-channel.ts';

/**
 * Disturbs nothing, but is interested in files: every operation on them takes the way of those that a rule is about.
 * The rules say in which: those whose names have a letter of this text; all, without rules.
 */
export function createInterposer(channel: RuleChannel): Interposer {
  let letters: string | undefined;
  let known = -1;
  return Object.freeze({
    generation: () => channel.generation(),
    interest: (path: string) => {
      if (known !== channel.generation()) {
        known = channel.generation();
        const given = channel.rules();
        letters = typeof given === 'string' ? given : undefined;
      }
      const { length } = path;
      return letters === undefined || letters.includes(path.slice(length - 1)) ? 1 : 0;
    },
    rule: () => undefined,
  });
}
