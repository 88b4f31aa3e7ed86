import { readFileSync } from 'node:fs';

/*
 * The kernel's symbols, /proc/kallsyms: `address type name`, and `[module]` after the name where one brought it.
 */

const file = '/proc/kallsyms';

export interface KernelSymbol {
  readonly name: string;
  /** The module that it is in; null: the kernel itself. */
  readonly module: string | null;
}

/** A function of this name; undefined: there is none, it was inlined everywhere, or its name was changed. */
export function findFunction(name: string): KernelSymbol | undefined {
  return findFunctions(name)[0];
}

/** All functions of this name: those of several files may share it. */
export function findFunctions(name: string): readonly KernelSymbol[] {
  const symbols = readFileSync(file);
  const found: KernelSymbol[] = [];
  const wanted = ` ${name}`;
  for (let at = symbols.indexOf(wanted); at !== -1; at = symbols.indexOf(wanted, at + 1)) {
    const after = at + wanted.length;
    if (!isCode(symbols[at - 1])) continue;
    const rest = /^(?:\n|\t\[([^\]]+)\])/u.exec(symbols.toString('latin1', after, after + 80));
    if (rest !== null) found.push({ name, module: rest[1] ?? null });
  }
  return found;
}

/** t, T, w and W: in the section of code. */
function isCode(type: number | undefined): boolean {
  return 'tTwW'.includes(String.fromCodePoint(type ?? 0));
}

/** The names of all functions whose name has a part in it, with those that the compiler made of them. */
export function functionsLike(part: string): readonly string[] {
  const names: string[] = [];
  const wanted = part.toLowerCase();
  for (const line of readFileSync(file, 'latin1').split('\n')) {
    const [, type = '', name = ''] = line.split(/[ \t]/);
    if (type !== '' && 'tTwW'.includes(type) && name.toLowerCase().includes(wanted)) names.push(name);
  }
  return names;
}
