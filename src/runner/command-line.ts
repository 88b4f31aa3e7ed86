import { flagName } from '../base/schema.ts';
import type { Json, JsonObject } from '../base/json.ts';

/** A word for a POSIX shell. */
function quoted(word: string): string {
  return /^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`;
}

function wordOf(value: Json): string {
  return quoted(typeof value === 'string' ? value : JSON.stringify(value));
}

function flagsFor(name: string, value: Json): readonly string[] {
  const flag = `--${flagName(name)}`;
  if (value === true) return [flag];
  if (value === false || value === null) return [];
  const values = Array.isArray(value) ? (value as readonly Json[]) : [value];
  return values.map((one) => `${flag} ${wordOf(one)}`);
}

/** How a person would make an attack by hand: `faultline attack process kill --process nginx --mode one`. */
export function attackCommand(fault: string, action: string, options: JsonObject): string {
  const flags = Object.entries(options).flatMap(([name, value]) => flagsFor(name, value));
  return ['faultline attack', fault, action, ...flags].join(' ');
}
