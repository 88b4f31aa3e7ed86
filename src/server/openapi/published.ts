import { type Json, type JsonObject, toJson } from '../../base/json.ts';

/** What properties tell the command line beside their JSON type: `Presentation` of src/base/schema.ts. */
const forCommandLine = new Set([
  'short',
  'placeholder',
  'completion',
  'offers',
  'aliases',
  'separator',
  'inFile',
  'chaosd',
]);

/** Keywords that hold schemas by name, where the names are not keywords. */
const holdsByName = new Set(['properties', 'patternProperties', '$defs']);

/** Keywords that hold plain values. */
const holdsValues = new Set(['const', 'default', 'enum', 'examples', 'required']);

function cleanKeyword(keyword: string, value: Json): Json {
  if (holdsValues.has(keyword)) return value;
  if (!holdsByName.has(keyword)) return clean(value);
  return Object.fromEntries(Object.entries(value as JsonObject).map(([name, one]) => [name, clean(one)]));
}

function clean(schema: Json): Json {
  if (typeof schema !== 'object' || schema === null) return schema;
  if (Array.isArray(schema)) return schema.map((one: Json) => clean(one));
  const kept = Object.entries(schema).filter(
    // A pattern says nothing that a list of words does not.
    ([keyword]) => !forCommandLine.has(keyword) && !(keyword === 'pattern' && 'enum' in schema),
  );
  return Object.fromEntries(kept.map(([keyword, value]) => [keyword, cleanKeyword(keyword, value)]));
}

/** A schema as others may read it: plain JSON Schema, without what only our command line understands. */
export function published(schema: object): JsonObject {
  return clean(toJson(schema)) as JsonObject;
}
