import type { Document, LineCounter, Node } from 'yaml';
import { FaultlineError, isFaultlineError } from '../base/error.ts';
import type { Json, JsonObject } from '../base/json.ts';
import { printable } from '../base/text.ts';
import { nearHint } from './near.ts';

/*
 * Reading objects of Kubernetes from YAML, field by field, so that what is wrong is told with its line and column.
 */

/**
 * What a field holds. An object lists its fields. `any` may be anything; what is `unread` may be, too, and its value
 * is not asked for.
 */
export type FieldType = 'text' | 'whole' | 'word' | 'texts' | 'any' | 'unread' | Fields;

export interface Fields {
  readonly [name: string]: FieldType;
}

/** Somewhere in a file; lines and columns count from 1. */
export interface Place {
  readonly file: string;
  readonly line: number;
  readonly column: number;
}

/** A field that was there. */
export interface ReadField {
  readonly value: Json;
  /** Where its name stands. */
  readonly place: Place;
  /** Where its value stands. */
  readonly valuePlace: Place;
}

export type ReadFields = Readonly<Record<string, ReadField>>;

type Yaml = typeof import('yaml');

/** One document of a file, with what it takes to tell where something stands in it. */
export interface YamlSource {
  readonly yaml: Yaml;
  readonly document: Document.Parsed;
  readonly lines: LineCounter;
  readonly file: string;
}

export function placeAt({ lines, file }: YamlSource, offset: number): Place {
  const { line, col } = lines.linePos(offset);
  return Object.freeze({ file, line: Math.max(1, line), column: Math.max(1, col) });
}

/** Where a part of a document begins; the document's beginning where there is no such part. */
export function placeOf(source: YamlSource, node: unknown): Place {
  return placeAt(source, (node as Node | null | undefined)?.range?.[0] ?? source.document.range[0]);
}

/** An error at a place of a file. */
export function errorAt({ file, line, column }: Place, problem: string, hint: string): FaultlineError {
  return new FaultlineError('ARGUMENT_INVALID', `${printable(file)}:${line}:${column}: ${problem}`, {
    hint,
    details: { line, column },
  });
}

/** The same error, told of a place of a file; what is no expected error stays as it is. */
export function placed({ file, line, column }: Place, error: unknown): unknown {
  if (!isFaultlineError(error)) return error;
  const { code, message, hint, details } = error;
  return new FaultlineError(code, `${printable(file)}:${line}:${column}: ${message}`, {
    cause: error,
    ...(hint === undefined ? {} : { hint }),
    details: { ...details, line, column },
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

/** What a part of a document stands for. Aliases that refer to themselves, or blow up, stand for nothing. */
function valueOf(source: YamlSource, node: unknown): { readonly value: unknown; readonly json: Json } {
  try {
    const value: unknown = (node as Node | null | undefined)?.toJS(source.document) ?? null;
    const text = JSON.stringify(value, (_key, one: unknown) => plainValue(one));
    return { value, json: JSON.parse(text) as Json };
  } catch (error) {
    const reason = error instanceof Error ? (error.message.split('\n')[0] ?? '') : String(error);
    throw errorAt(placeOf(source, node), `this is no plain data: ${printable(reason)}`, 'write it without aliases');
  }
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
  if (type === 'unread') return null;
  const node = resolved(source, given);
  if (typeof type === 'object') return objectValue(source, name, node, type);
  const { value, json } = valueOf(source, node);
  if (type === 'any' || isOfType(value, type)) return json;
  const hint = type === 'text' ? 'put it in quotation marks' : 'as the objects of Chaos Mesh have it';
  throw errorAt(placeOf(source, given), `${printable(name)} must be ${expectations[type]}`, hint);
}

function objectValue(source: YamlSource, name: string, node: unknown, fields: Fields): JsonObject {
  const read = Object.entries(readFields(source, name, node, fields));
  return Object.fromEntries(read.map(([key, { value }]) => [key, value]));
}

function typeOf(fields: Fields, field: string): FieldType | undefined {
  return Object.hasOwn(fields, field) ? fields[field] : undefined;
}

/**
 * The fields of an object that are there and not null.
 *
 * @throws {FaultlineError} ARGUMENT_INVALID: it is no object, a field is unknown, or of another type
 */
export function readFields(source: YamlSource, name: string, node: unknown, fields: Fields): ReadFields {
  const map = resolved(source, node);
  if (!source.yaml.isMap(map)) {
    const known = `with: ${Object.keys(fields).join(', ')}`;
    throw errorAt(placeOf(source, node), `${name} must be an object`, known);
  }
  const read: Record<string, ReadField> = {};
  for (const { key, value } of map.items) {
    const field = String(key);
    const place = placeOf(source, key);
    const type = typeOf(fields, field);
    if (type === undefined) {
      const problem = `there is no field "${printable(field.slice(0, 80))}" in ${name}`;
      throw errorAt(place, problem, nearHint(field, Object.keys(fields)));
    }
    const isNull = source.yaml.isScalar(value) ? value.value === null : value === null;
    if (isNull) continue;
    read[field] = { value: fieldValue(source, field, value, type), place, valuePlace: placeOf(source, value) };
  }
  return read;
}

/** A field's text, or its number as text; null where it is not there, or empty, which is the same to Kubernetes. */
export function textIn(fields: ReadFields, name: string): string | null {
  const value = fields[name]?.value;
  return (typeof value === 'string' && value !== '') || typeof value === 'number' ? String(value) : null;
}
