/** A piece of a machine program: a name for a place, or an instruction, which may depend on where places are. */
export type Line =
  | { readonly label: string }
  | { readonly length: number; readonly encode: (here: number, places: Places) => readonly number[] };

/** Where a label is, in bytes from the beginning of the program. @throws Error no such label */
export type Places = (label: string) => number;

export interface Assembled {
  readonly code: Uint8Array;
  readonly place: Places;
}

export function label(name: string): Line {
  return { label: name };
}

/**
 * An instruction that is the same wherever it stands. The text is for whoever reads, as a disassembler would print it.
 */
export function instruction(bytes: readonly number[], _text: string): Line {
  return { length: bytes.length, encode: () => bytes };
}

/** Puts a program together. It runs wherever it is put. */
export function assemble(lines: readonly Line[]): Assembled {
  const places = new Map<string, number>();
  let length = 0;
  for (const line of lines) {
    if ('label' in line) places.set(line.label, length);
    else length += line.length;
  }
  const place: Places = (name) => {
    const offset = places.get(name);
    if (offset === undefined) throw new Error(`the program has no place ${name}`);
    return offset;
  };
  const code = new Uint8Array(length);
  let here = 0;
  for (const line of lines) {
    if ('label' in line) continue;
    code.set(line.encode(here, place), here);
    here += line.length;
  }
  return { code, place };
}
