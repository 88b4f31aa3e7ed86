import { textOf } from './json.ts';
import type { Static, TSchema } from './schema-types.ts';
import { FaultlineError, isFaultlineError } from './error.ts';
import { printable } from './text.ts';

/** What shell completion offers for a value. */
export type Completion = 'process' | 'signal' | 'uid' | 'user' | 'cgroup' | 'duration' | 'file' | 'none';

/**
 * What a property of a fault's schema tells the front doors beside its JSON type.
 *
 * The property's name is the HTTP field; the flag is the same name in kebab case. All keys start with `x-` in JSON
 * Schema terms only where they leave the program (OpenAPI); here they are plain keywords that validators ignore.
 */
export interface Presentation {
  readonly description: string;
  /** One letter: `-p`. */
  readonly short?: string;
  /** What stands for the value in help: `NAME|PID`. Omitted for booleans. */
  readonly placeholder?: string;
  readonly completion?: Completion;
  /** What shell completion offers where others may be given as well. */
  readonly offers?: readonly string[];
  /** Other spellings of the HTTP field that existing clients send: `recover-cmd`. */
  readonly aliases?: readonly string[];
  /** As a flag: one value of it may be several, with this between them. */
  readonly separator?: ',';
  /** As a flag: it names a file that holds the value as JSON. */
  readonly inFile?: boolean;
  /** How chaosd's own help prints this flag: its Go type and its text. Absent: not one of chaosd's listed flags. */
  readonly chaosd?: { readonly type: string; readonly text: string };
}

/** `maxTargets` → `max-targets`. */
export function flagName(property: string): string {
  return property.replaceAll(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
}

/** The value of one faulty property as it was given, short and harmless to print. */
function shown(value: unknown): string {
  const text = textOf(value);
  return printable(text.length > 80 ? `${text.slice(0, 77)}…` : text);
}

/** The first thing that TypeBox finds wrong. */
interface FirstError {
  readonly path: string;
  readonly value: unknown;
  readonly message: string;
  /** Of the value. */
  readonly schema: TSchema;
}

/** What a value has to be, in words; undefined where the schema needs more of them than that. */
function expectation({ type, pattern, minimum, exclusiveMinimum, maximum }: TSchema): string | undefined {
  const [, words] = /^\^\(([\w|-]+)\)\$$/u.exec(typeof pattern === 'string' ? pattern : '') ?? [];
  if (words !== undefined) return `it is one of: ${words.replaceAll('|', ', ')}`;
  if (type === 'array') return 'it is a list: […]';
  if (type !== 'integer' && type !== 'number') return undefined;
  const kind = type === 'integer' ? 'a whole number' : 'a number';
  const upTo = typeof maximum === 'number' ? `, up to ${maximum}` : '';
  if (typeof exclusiveMinimum === 'number') return `it is ${kind} above ${exclusiveMinimum}${upTo}`;
  if (typeof minimum !== 'number') return `it is ${kind}${upTo}`;
  return upTo === '' ? `it is ${kind} from ${minimum} on` : `it is ${kind} from ${minimum} to ${maximum}`;
}

/** What is wrong with input, as the first of the errors that TypeBox finds says it. */
function inputError(schema: TSchema, first: FirstError | undefined): FaultlineError {
  const { path = '', value, message } = first ?? {};
  const property = path.slice(1);
  const name = printable(property);
  const known = Object.keys((schema['properties'] ?? {}) as object);
  const details = { path };
  if (!property.includes('/') && property !== '' && !known.includes(property)) {
    return new FaultlineError('ARGUMENT_INVALID', `there is nothing called ${name} here`, {
      hint: `there is: ${known.join(', ')}`,
      details,
    });
  }
  const [flag = ''] = property.split('/');
  if (value === undefined && property !== '' && !property.includes('/')) {
    const { description } =
      ((schema['properties'] ?? {}) as Readonly<Record<string, { description?: string }>>)[property] ?? {};
    return new FaultlineError('ARGUMENT_INVALID', `${name} (--${flagName(flag)}) is missing`, {
      hint: description ?? 'see --help',
      details,
    });
  }
  const field = property === '' ? 'the input' : `${name} (--${printable(flagName(flag))})`;
  return new FaultlineError('ARGUMENT_INVALID', `${field} is not valid: ${shown(value)}`, {
    hint: (first?.schema && expectation(first.schema)) ?? message ?? 'see --help',
    details,
  });
}

/** What checks input, once it was needed. */
let checks: typeof import('./schema-check.ts') | undefined;

/**
 * Check plain data against a schema and return it with its type.
 *
 * Unknown properties are refused when the schema says `additionalProperties: false`.
 *
 * @throws {FaultlineError} ARGUMENT_INVALID: names the first faulty property, what it was and what was expected.
 */
export async function parseInput<Schema extends TSchema>(schema: Schema, input: unknown): Promise<Static<Schema>> {
  checks ??= await import('./schema-check.ts');
  if (checks.Check(schema, input)) return input;
  const { Errors } = await import('@sinclair/typebox/errors');
  const first = Errors(schema, input).First();
  throw inputError(schema, first);
}

/**
 * Do what checks one property further than a schema can. What it throws names the property, as {@link parseInput} does.
 *
 * @throws {FaultlineError} with `details.path`
 */
export function checkProperty<Result>(property: string, check: () => Result): Result {
  try {
    return check();
  } catch (error) {
    if (!isFaultlineError(error) || error.details?.['path'] !== undefined) throw error;
    const { code, message, hint, details } = error;
    throw new FaultlineError(code, message, {
      cause: error,
      ...(hint === undefined ? {} : { hint }),
      details: { ...details, path: `/${property}` },
    });
  }
}
