import type { TSchema } from '../base/schema-types.ts';
import { faults } from '../faults/registry.ts';

/** Does a schema take objects, by itself or in one of its parts? */
function takesObjects(schema: TSchema): boolean {
  const {
    type,
    items,
    anyOf = [],
  } = schema as {
    readonly type?: unknown;
    readonly items?: TSchema;
    readonly anyOf?: readonly TSchema[];
  };
  return type === 'object' || (items !== undefined && takesObjects(items)) || anyOf.some(takesObjects);
}

function namesOf([name, schema]: readonly [string, TSchema]): readonly string[] {
  const { aliases = [] } = schema as { readonly aliases?: readonly string[] };
  return [name, ...aliases];
}

let names: ReadonlySet<string> | undefined;

/** May a field of an attack hold objects? All others are plain values or lists of them. */
export function mayNest(field: string): boolean {
  names ??= new Set(
    faults
      .flatMap(({ actions }) => Object.values(actions))
      .flatMap(({ schema }) => Object.entries(schema.properties))
      .filter(([, schema]) => takesObjects(schema))
      .flatMap(namesOf),
  );
  return names.has(field);
}
