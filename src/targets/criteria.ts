import { inspect } from 'node:util';
import type { ErrorCode } from '../base/error-codes.ts';
import { FaultlineError } from '../base/error.ts';
import { hasUnprintable, printable } from '../base/text.ts';
import { isSelectionMode, type SelectionMode, selectionModes, takesPercent, takesValue } from './mode.ts';
import { isPidText } from './name-match.ts';
import type { CriteriaInput } from './schema.ts';

/**
 * Which processes are meant: plain data with every default filled in. It may be kept in a journal and given to
 * {@link parseCriteria} again, which changes nothing.
 *
 * A process must meet all of `process`, `cmdline`, `user` and `cgroup` that are there; at least one is.
 */
export interface ProcessCriteria {
  /** A name, or a PID in decimal digits. */
  readonly process?: string;
  /** Source of a regular expression with the `u` flag. */
  readonly cmdline?: string;
  /** A user's name or number, looked up when processes are selected. */
  readonly user?: string;
  readonly cgroup?: string;
  readonly newest: boolean;
  readonly oldest: boolean;
  /** Names and PIDs. */
  readonly exclude: readonly string[];
  readonly children: boolean;
  readonly mode: SelectionMode;
  /** Present in the modes that take one. */
  readonly value?: number;
  readonly seed?: string;
}

/** PID_MAX_LIMIT of include/linux/threads.h on 64-bit: no PID is larger, whatever kernel.pid_max says. */
const maxPid = 4_194_304;

/** Far beyond any name that a kernel or a file system allows, and any expression that a person writes. */
const maxTextLength = 4096;

function refuse(code: ErrorCode, sentence: string, hint: string): never {
  throw new FaultlineError(code, sentence, { hint });
}

function shown(value: unknown): string {
  const text = typeof value === 'string' ? value : inspect(value, { depth: 1, breakLength: Infinity });
  return `"${printable(text.length > 60 ? `${text.slice(0, 59)}…` : text)}"`;
}

/** A text from input whose type nobody may have checked. */
function textOf(what: string, value: unknown): string | undefined {
  if (value === undefined) return undefined;
  if (typeof value !== 'string') refuse('ARGUMENT_INVALID', `the ${what} must be a text`, 'see --help');
  if (value.trim() === '') refuse('ARGUMENT_INVALID', `the ${what} is empty`, `give the ${what}, or leave it out`);
  if (value.length > maxTextLength) {
    refuse('ARGUMENT_INVALID', `the ${what} is longer than ${maxTextLength} characters`, 'give a shorter one');
  }
  return value;
}

/** A text that stands for something by its name, and so must show on a screen as what it is. */
function nameOf(what: string, value: unknown, hint: string): string | undefined {
  const name = textOf(what, value);
  if (name !== undefined && hasUnprintable(name)) {
    refuse('NAME_INVALID', `the ${what} ${shown(name)} has control or invisible characters`, hint);
  }
  return name;
}

/** A NAME or a PID, as `--process` and `--exclude` take it. */
function processOf(what: string, value: unknown): string | undefined {
  const text = nameOf(what, value, 'to hit a process with such a name, give its process ID');
  if (text === undefined) return undefined;
  const negative = /^-\d+$/.test(text);
  if (negative || (isPidText(text) && (Number(text) === 0 || Number(text) > maxPid))) {
    refuse('PID_INVALID', `${shown(text)} is no process ID`, `a process ID is a number from 1 to ${maxPid}`);
  }
  return text;
}

function cmdlineOf(value: unknown): string | undefined {
  const source = textOf('command line pattern', value);
  if (source !== undefined) commandLinePattern(source);
  return source;
}

/**
 * The compiled pattern. With the `u` flag a character is a character also beyond U+FFFF, and escapes that JavaScript
 * does not know (`\A`, `\Q`, `\h`) are refused; without it they would silently stand for the letter and match something
 * else than was meant.
 *
 * @throws {FaultlineError} REGEX_INVALID
 */
export function commandLinePattern(source: string): RegExp {
  try {
    return new RegExp(source, 'u');
  } catch (cause) {
    const message = printable(cause instanceof Error ? cause.message : String(cause));
    throw new FaultlineError('REGEX_INVALID', `${shown(source)} is no regular expression: ${message}`, {
      hint: 'it is a JavaScript regular expression (with the u flag), without slashes around it',
      cause,
    });
  }
}

function excludeOf(value: unknown): readonly string[] {
  if (value === undefined) return Object.freeze([]);
  if (!Array.isArray(value)) refuse('ARGUMENT_INVALID', 'exclude must be a list of names or process IDs', 'see --help');
  return Object.freeze(value.flatMap((one: unknown) => processOf('excluded process', one ?? '') ?? []));
}

function flagOf(what: string, value: unknown): boolean {
  if (value === undefined) return false;
  if (typeof value !== 'boolean') refuse('ARGUMENT_INVALID', `${what} must be true or false`, 'see --help');
  return value;
}

function modeOf(value: unknown): SelectionMode {
  if (value === undefined) return 'all';
  if (typeof value !== 'string' || !isSelectionMode(value)) {
    refuse('ARGUMENT_INVALID', `there is no mode ${shown(value)}`, `modes: ${selectionModes.join(', ')}`);
  }
  return value;
}

function numberOf(value: unknown): number {
  if (typeof value === 'number') return value;
  return typeof value === 'string' && /^\d{1,9}$/.test(value) ? Number(value) : Number.NaN;
}

/** The value of a mode. An empty text counts as none: Chaos Mesh sends one with the modes that take no value. */
function valueOf(mode: SelectionMode, value: unknown): number | undefined {
  const given = value !== undefined && value !== '';
  if (!takesValue(mode)) {
    if (given) refuse('ARGUMENT_INVALID', `mode ${mode} takes no value`, 'leave --value out, or give another --mode');
    return undefined;
  }
  const what = takesPercent(mode) ? 'a whole percentage from 1 to 100' : 'a whole number from 1';
  if (!given) refuse('ARGUMENT_INVALID', `mode ${mode} needs a value`, `add --value with ${what}`);
  const number = numberOf(value);
  if (!Number.isSafeInteger(number) || number < 1 || (takesPercent(mode) && number > 100)) {
    refuse('ARGUMENT_INVALID', `${shown(value)} is no value for mode ${mode}`, `it must be ${what}`);
  }
  return number;
}

function seedOf(value: unknown): string | undefined {
  return typeof value === 'number' && Number.isSafeInteger(value) ? String(value) : nameOf('seed', value, 'see --help');
}

function refuseUnlessSelective(criteria: ProcessCriteria): void {
  const { process, cmdline, user, cgroup, newest, oldest } = criteria;
  if (newest && oldest) {
    refuse('ARGUMENT_INVALID', 'newest and oldest exclude each other', 'give one of --newest and --oldest');
  }
  if (process === undefined && cmdline === undefined && user === undefined && cgroup === undefined) {
    refuse(
      'ARGUMENT_INVALID',
      'nothing says which processes are meant',
      'give --process NAME|PID, --cmdline REGEX, --user NAME|UID or --cgroup PATH',
    );
  }
}

/** An optional property: absent rather than undefined. */
function optional<Key extends string, Value>(key: Key, value: Value | undefined): { readonly [key in Key]?: Value } {
  return value === undefined ? {} : ({ [key]: value } as { readonly [key in Key]: Value });
}

/**
 * Check input and fill in the defaults. Types are checked too, so that the command line need not load the validator.
 * Nothing is looked up: whether such processes, users or cgroups exist is asked when they are selected.
 *
 * @throws {FaultlineError} ARGUMENT_INVALID, NAME_INVALID, PID_INVALID, REGEX_INVALID
 */
export function parseCriteria(input: CriteriaInput): ProcessCriteria {
  const mode = modeOf(input.mode);
  const criteria: ProcessCriteria = Object.freeze({
    ...optional('process', processOf('process', input.process)),
    ...optional('cmdline', cmdlineOf(input.cmdline)),
    ...optional('user', nameOf('user', input.user, 'give it as `getent passwd` lists it, or the numeric user ID')),
    ...optional('cgroup', nameOf('cgroup', input.cgroup, 'give the path as /proc/PID/cgroup shows it')),
    ...optional('value', valueOf(mode, input.value)),
    ...optional('seed', seedOf(input.seed)),
    newest: flagOf('newest', input.newest),
    oldest: flagOf('oldest', input.oldest),
    exclude: excludeOf(input.exclude),
    children: flagOf('children', input.children),
    mode,
  });
  refuseUnlessSelective(criteria);
  return criteria;
}

/** The criteria as a phrase: `named "nginx" of user "www" in cgroup "/web"`. */
export function describeCriteria(criteria: ProcessCriteria): string {
  const { process, cmdline, user, cgroup } = criteria;
  return [
    process === undefined ? [] : isPidText(process) ? [`with the ID ${process}`] : [`named ${shown(process)}`],
    cmdline === undefined ? [] : [`with a command line that matches ${shown(cmdline)}`],
    user === undefined ? [] : [`of user ${shown(user)}`],
    cgroup === undefined ? [] : [`in cgroup ${shown(cgroup)}`],
  ]
    .flat()
    .join(' ');
}
