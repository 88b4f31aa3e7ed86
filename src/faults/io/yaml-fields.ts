import type { Document, LineCounter, Node } from 'yaml';
import { FaultlineError } from '../../base/error.ts';
import type { Json, JsonObject } from '../../base/json.ts';
import { printable } from '../../base/text.ts';
import { nearHint } from './near.ts';

/*
 * Reading objects of Kubernetes from YAML, field by field, so that what is wrong is told with its line and column.
 */

/** What a field holds. An object lists its fields; `any` is not looked into. */
export type FieldType = 'text' | 'whole' | 'word' | 'texts' | 'any' | Fields;

export interface Fields {
  readonly [name: string]: FieldType;
}

/** A field that was there. */
export interface ReadField {
  readonly value: Json;
  /** `line 14, column 3` */
  readonly place: string;
}

type Yaml = typeof import('yaml');

/** One document of a file, with what it takes to tell where something stands in it. */
export interface YamlSource {
  readonly yaml: Yaml;
  readonly document: Document.Parsed;
  readonly lines: LineCounter;
  readonly file: string;
}

function placeOf({ lines }: YamlSource, offset: number): string {
  const { line, col } = lines.linePos(offset);
  return `line ${line}, column ${col}`;
}

function positionOf(node: unknown): number {
  return (node as Node | null)?.range?.[0] ?? 0;
}

/** An error at a place of the file. */
export function yamlError(source: YamlSource, offset: number, problem: string, hint: string): FaultlineError {
  const { line, col } = source.lines.linePos(offset);
  return new FaultlineError('ARGUMENT_INVALID', `${printable(source.file)}:${line}:${col}: ${problem}`, {
    hint,
    details: { line, column: col },
  });
}

/** What an alias stands for; anything else as it is. */
function resolved({ yaml, document }: YamlSource, node: unknown): unknown {
  return yaml.isAlias(node) ? node.resolve(document) : node;
}

/** A number in JSON where it is exact, else its digits. */
function plainValue(value: unknown): Json {
  if (typeof value !== 'bigint') return value as Json;
  return Number.isSafeInteger(Number(value)) ? Number(value) : String(value);
}

/** Any value as plain data. */
function anything(source: YamlSource, node: unknown): Json {
  const text = JSON.stringify((node as Node | null)?.toJS(source.document) ?? null, (_key, value: unknown) =>
    plainValue(value),
  );
  return JSON.parse(text) as Json;
}

const expectations = {
  text: 'a text',
  whole: 'a whole number',
  word: 'a text or a number',
  texts: 'a list of texts',
} as const;

function isOfType(value: unknown, type: keyof typeof expectations): boolean {
  switch (type) {
    case 'text':
      return typeof value === 'string';
    case 'whole':
      return typeof value === 'bigint';
    case 'word':
      return typeof value === 'string' || typeof value === 'bigint';
    case 'texts':
      return Array.isArray(value) && value.every((one) => typeof one === 'string');
  }
}

function fieldValue(source: YamlSource, name: string, given: unknown, type: FieldType): Json {
  const node = resolved(source, given);
  if (type === 'any') return anything(source, node);
  if (typeof type === 'object') return objectValue(source, name, node, type);
  const value: unknown = (node as Node | null)?.toJS(source.document);
  if (isOfType(value, type)) return anything(source, node);
  const problem = `${printable(name)} must be ${expectations[type]}`;
  throw yamlError(source, positionOf(given), problem, 'see the IOChaos of Chaos Mesh');
}

function objectValue(source: YamlSource, name: string, node: unknown, fields: Fields): JsonObject {
  const read = Object.entries(readFields(source, name, node, fields));
  return Object.fromEntries(read.map(([key, { value }]) => [key, value]));
}

/**
 * The fields of an object that are there and not null.
 *
 * @throws {FaultlineError} ARGUMENT_INVALID: it is no object, a field is unknown, or of another type
 */
export function readFields(
  source: YamlSource,
  name: string,
  node: unknown,
  fields: Fields,
): Readonly<Record<string, ReadField>> {
  const map = resolved(source, node);
  if (!source.yaml.isMap(map)) {
    throw yamlError(source, positionOf(node), `${name} must be an object`, `with: ${Object.keys(fields).join(', ')}`);
  }
  const read: Record<string, ReadField> = {};
  for (const { key, value } of map.items) {
    const field = String(key);
    const type = Object.hasOwn(fields, field) ? fields[field] : undefined;
    if (type === undefined) {
      const problem = `there is no field "${printable(field.slice(0, 80))}" in ${name}`;
      throw yamlError(source, positionOf(key), problem, nearHint(field, Object.keys(fields)));
    }
    const isNull = source.yaml.isScalar(value) ? value.value === null : value === null;
    if (isNull) continue;
    read[field] = { value: fieldValue(source, field, value, type), place: placeOf(source, positionOf(key)) };
  }
  return read;
}
