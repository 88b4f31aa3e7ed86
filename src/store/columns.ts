import type { Json, JsonObject } from '../base/json.ts';
import type { Row } from './store.ts';

/** Typed reading of one row's columns. A wrong type means that the file was changed by other hands. */
function wrong(column: string, value: unknown): never {
  throw new TypeError(`the journal's column "${column}" holds ${typeof value}`);
}

export function text(row: Row, column: string): string {
  const value = row[column];
  return typeof value === 'string' ? value : wrong(column, value);
}

export function textOrNull(row: Row, column: string): string | null {
  const value = row[column];
  return value === null || typeof value === 'string' ? value : wrong(column, value);
}

export function number(row: Row, column: string): number {
  const value = row[column];
  return typeof value === 'number' ? value : wrong(column, value);
}

export function numberOrNull(row: Row, column: string): number | null {
  const value = row[column];
  return value === null || typeof value === 'number' ? value : wrong(column, value);
}

export function object(row: Row, column: string): JsonObject {
  const value = JSON.parse(text(row, column)) as Json;
  return typeof value === 'object' && value !== null && !Array.isArray(value)
    ? (value as JsonObject)
    : wrong(column, value);
}

export function objectOrNull(row: Row, column: string): JsonObject | null {
  return row[column] === null ? null : object(row, column);
}
