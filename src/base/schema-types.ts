/*
 * The builders of TypeBox that schemas here use, by name. The library's own `Type` holds all of them at once, so that a
 * bundle must carry and every start-up must read what nobody uses.
 */
export {
  Array as array,
  Boolean as boolean,
  Integer as integer,
  Literal as literal,
  Null as nothing,
  Number as number,
  Object as object,
  Optional as optional,
  type Static,
  String as string,
  type TInteger,
  type TNull,
  type TNumber,
  type TObject,
  type TProperties,
  type TSchema,
  type TString,
  type TUnion,
  type TUnsafe,
  Union as union,
  Unsafe as unsafe,
} from '@sinclair/typebox';
