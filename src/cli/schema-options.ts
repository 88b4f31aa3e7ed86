import { readFileSync } from 'node:fs';
import { type Command, Option } from 'commander';
import { FaultlineError } from '../base/error.ts';
import type { Json, JsonObject } from '../base/json.ts';
import { flagName, type Presentation } from '../base/schema.ts';
import type { TSchema } from '../base/schema-types.ts';
import { printable } from '../base/text.ts';

/*
 * Flags made from a schema: one flag for each property, and the values back as the input that the schema checks.
 */

type Properties = Readonly<Record<string, TSchema>>;

/** What a schema's property says of its flag. */
export function presentationOf(schema: TSchema): Presentation {
  const { description, short, placeholder, completion, offers, aliases, separator, inFile, chaosd } =
    schema as unknown as Presentation;
  return {
    description,
    ...(short === undefined ? {} : { short }),
    ...(placeholder === undefined ? {} : { placeholder }),
    ...(completion === undefined ? {} : { completion }),
    ...(offers === undefined ? {} : { offers }),
    ...(aliases === undefined ? {} : { aliases }),
    ...(separator === undefined ? {} : { separator }),
    ...(inFile === undefined ? {} : { inFile }),
    ...(chaosd === undefined ? {} : { chaosd }),
  };
}

const schemas = new WeakMap<Option, TSchema>();

/** The schema that a flag was made from; undefined for flags that a command has beside those. */
export function schemaOfOption(option: Option): TSchema | undefined {
  return schemas.get(option);
}

/** Does the flag of this schema stand for a list, so that it may be given more than once? */
export function isList(schema: TSchema): boolean {
  const { separator, inFile } = presentationOf(schema);
  return inFile !== true && (separator !== undefined || schema['type'] === 'array');
}

type Collector = (value: string, previous: readonly string[] | undefined) => readonly string[];

function collectorFor({ separator }: Presentation): Collector {
  return (value, previous = []) => [...previous, ...(separator === undefined ? [value] : value.split(separator))];
}

function optionFor(property: string, schema: TSchema): Option {
  const presentation = presentationOf(schema);
  const short = presentation.short === undefined ? '' : `-${presentation.short}, `;
  const isFlag = schema['type'] === 'boolean';
  const value = isFlag ? '' : ` <${presentation.placeholder ?? 'VALUE'}>`;
  const option = new Option(`${short}--${flagName(property)}${value}`, presentation.description);
  schemas.set(option, schema);
  return isList(schema) ? option.argParser(collectorFor(presentation)) : option;
}

/** Add a flag for each property. */
export function addSchemaOptions(command: Command, properties: Properties, heading: string): void {
  for (const [property, schema] of Object.entries(properties)) {
    command.addOption(optionFor(property, schema).helpGroup(heading));
  }
}

const numeric = /^-?(?:\d+\.?\d*|\.\d+)$/;

/** What a file holds, as JSON. */
function jsonIn(file: string, flag: string): Json {
  const refuse = (problem: string, cause: unknown): never => {
    throw new FaultlineError('ARGUMENT_INVALID', `${flag} ${printable(file)} ${problem}`, {
      hint: printable(cause instanceof Error ? cause.message : String(cause)),
      cause,
    });
  };
  let text = '';
  try {
    text = readFileSync(file, 'utf8');
  } catch (error) {
    refuse('cannot be read', error);
  }
  try {
    return JSON.parse(text) as Json;
  } catch (error) {
    return refuse('is not JSON', error);
  }
}

/** A flag's text as the type its schema asks for; text that is no number stays text, for the schema to refuse. */
function typed(value: unknown, schema: TSchema): Json {
  const items: unknown = schema['items'];
  if (Array.isArray(value) && items !== undefined) return value.map((one) => typed(one, items as TSchema));
  const wantsNumber = schema['type'] === 'integer' || schema['type'] === 'number';
  if (wantsNumber && typeof value === 'string' && numeric.test(value)) return Number(value);
  return value as Json;
}

/**
 * The values of the flags that a schema made, as input for it.
 *
 * @throws {FaultlineError} ARGUMENT_INVALID: a file that a flag names cannot be read, or is not JSON
 */
export function schemaInput(properties: Properties, options: Readonly<Record<string, unknown>>): JsonObject {
  const input: Record<string, Json> = {};
  for (const [property, schema] of Object.entries(properties)) {
    const value = options[property];
    if (value === undefined) continue;
    const fromFile = presentationOf(schema).inFile === true && typeof value === 'string';
    input[property] = fromFile ? jsonIn(value, `--${flagName(property)}`) : typed(value, schema);
  }
  return input;
}
