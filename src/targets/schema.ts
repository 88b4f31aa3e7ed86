import { type Static, array, boolean, integer, object, optional, string, union, unsafe } from '../base/schema-types.ts';
import type { Presentation } from '../base/schema.ts';
import { type SelectionMode, selectionModes } from './mode.ts';

const present = (presentation: Presentation): Presentation => presentation;

/**
 * The properties by which every fault that hits processes lets them be chosen; spread them into its schema. What JSON
 * Schema cannot say (a valid regular expression, `value` only with the modes that take one) is left to `parseCriteria`.
 */
export const criteriaProperties = {
  process: optional(
    string(
      present({
        description: "The process ID, or the name: the kernel's (comm) or, where that is cut, the program's file name",
        short: 'p',
        placeholder: 'NAME|PID',
        completion: 'process',
        chaosd: { type: 'string', text: 'The process name or the process ID' },
      }),
    ),
  ),
  cmdline: optional(
    string(
      present({
        description: 'Processes whose command line, its arguments joined by spaces, matches the JavaScript regex',
        placeholder: 'REGEX',
        completion: 'none',
      }),
    ),
  ),
  user: optional(
    string(
      present({
        description: 'Processes that run as this user (the effective one, as ps shows it)',
        placeholder: 'NAME|UID',
        completion: 'user',
      }),
    ),
  ),
  cgroup: optional(
    string(
      present({
        description: 'Processes in this cgroup and in those below it',
        placeholder: 'PATH',
        completion: 'cgroup',
      }),
    ),
  ),
  newest: optional(boolean(present({ description: 'Of the processes found, only the one started last' }))),
  oldest: optional(boolean(present({ description: 'Of the processes found, only the one started first' }))),
  exclude: optional(
    array(
      string(),
      present({
        description: 'Never hit processes of this name or ID, children included; may be given several times',
        placeholder: 'NAME|PID',
        completion: 'process',
      }),
    ),
  ),
  children: optional(
    boolean(present({ description: 'Hit the descendants of the chosen processes too: children, grandchildren, …' })),
  ),
  mode: optional(
    // A string with a pattern and not a union of literals, so that the error of a wrong one lists the right ones.
    unsafe<SelectionMode>(
      string({
        ...present({
          description: `How many of those found to choose, at random: ${selectionModes.join(', ')} (default all)`,
          placeholder: 'MODE',
          completion: 'none',
        }),
        enum: [...selectionModes],
        pattern: `^(${selectionModes.join('|')})$`,
        default: 'all',
      }),
    ),
  ),
  value: optional(
    union(
      [integer(), string()],
      present({
        description: 'How many (mode fixed) or what percentage (fixed-percent, random-max-percent)',
        placeholder: 'N',
        completion: 'none',
      }),
    ),
  ),
  seed: optional(
    union(
      [string(), integer()],
      present({
        description: 'Repeat a random choice: the same seed chooses the same among the same processes',
        placeholder: 'TEXT',
        completion: 'none',
      }),
    ),
  ),
};

/** The criteria alone, for what chooses processes and does nothing to them. */
export const criteriaSchema = object(criteriaProperties, { additionalProperties: false });

export type CriteriaInput = Static<typeof criteriaSchema>;
