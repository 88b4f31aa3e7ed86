import {
  integer,
  nothing,
  number,
  object,
  string,
  type TInteger,
  type TNull,
  type TNumber,
  type TObject,
  type TProperties,
  type TSchema,
  type TString,
  type TUnion,
  type TUnsafe,
  union,
  unsafe,
} from '../../../base/schema-types.ts';

/** An object that other schemas name: in the OpenAPI document it stands once, and they refer to it by `$id`. */
export function named<Properties extends TProperties>(
  $id: string,
  description: string,
  properties: Properties,
): TObject<Properties> {
  return object(properties, { $id, description });
}

export const nullable = <Schema extends TSchema>(schema: Schema): TUnion<[Schema, TNull]> => union([schema, nothing()]);

/** One of some words. The pattern makes the error of a wrong one list the right ones. */
export function oneOf<Word extends string>(words: readonly Word[], description: string): TUnsafe<Word> {
  return unsafe<Word>(string({ description, enum: [...words], pattern: `^(${words.join('|')})$` }));
}

/** Facts whose names depend on the fault. */
export const facts = (description: string): TObject => object({}, { description, additionalProperties: true });

export const time = (description: string): TString => string({ description, format: 'date-time' });

/** A moment on CLOCK_BOOTTIME, which has fractions. */
export const bootMs = (description: string): TNumber =>
  number({ description: `${description}, in milliseconds of CLOCK_BOOTTIME` });

export const milliseconds = (description: string): TInteger =>
  integer({ description: `${description}, in milliseconds` });
