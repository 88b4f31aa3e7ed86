import type { TSchema } from '../base/schema-types.ts';
import { type Command, Option } from 'commander';
import type { Json, JsonObject } from '../base/json.ts';
import { flagName, type Presentation } from '../base/schema.ts';

/*
 * Flags made from a schema: one flag for each property, and the values back as the input that the schema checks.
 */

type Properties = Readonly<Record<string, TSchema>>;

/** What a schema's property says of its flag. */
export function presentationOf(schema: TSchema): Presentation {
  const { description, short, placeholder, completion, aliases, chaosd } = schema as unknown as Presentation;
  return {
    description,
    ...(short === undefined ? {} : { short }),
    ...(placeholder === undefined ? {} : { placeholder }),
    ...(completion === undefined ? {} : { completion }),
    ...(aliases === undefined ? {} : { aliases }),
    ...(chaosd === undefined ? {} : { chaosd }),
  };
}

const schemas = new WeakMap<Option, TSchema>();

/** The schema that a flag was made from; undefined for flags that a command has beside those. */
export function schemaOfOption(option: Option): TSchema | undefined {
  return schemas.get(option);
}

function collect(value: string, previous: readonly string[] | undefined): readonly string[] {
  return [...(previous ?? []), value];
}

function optionFor(property: string, schema: TSchema): Option {
  const presentation = presentationOf(schema);
  const short = presentation.short === undefined ? '' : `-${presentation.short}, `;
  const isFlag = schema['type'] === 'boolean';
  const value = isFlag ? '' : ` <${presentation.placeholder ?? 'VALUE'}>`;
  const option = new Option(`${short}--${flagName(property)}${value}`, presentation.description);
  schemas.set(option, schema);
  return schema['type'] === 'array' ? option.argParser(collect) : option;
}

/** Add a flag for each property. */
export function addSchemaOptions(command: Command, properties: Properties, heading: string): void {
  for (const [property, schema] of Object.entries(properties)) {
    command.addOption(optionFor(property, schema).helpGroup(heading));
  }
}

const numeric = /^-?(?:\d+\.?\d*|\.\d+)$/;

/** A flag's text as the type its schema asks for; text that is no number stays text, for the schema to refuse. */
function typed(value: unknown, schema: TSchema): Json {
  const wantsNumber = schema['type'] === 'integer' || schema['type'] === 'number';
  if (wantsNumber && typeof value === 'string' && numeric.test(value)) return Number(value);
  return value as Json;
}

/** The values of the flags that a schema made, as input for it. */
export function schemaInput(properties: Properties, options: Readonly<Record<string, unknown>>): JsonObject {
  const input: Record<string, Json> = {};
  for (const [property, schema] of Object.entries(properties)) {
    const value = options[property];
    if (value !== undefined) input[property] = typed(value, schema);
  }
  return input;
}
