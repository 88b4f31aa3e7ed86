import { existsSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { findFunction, findFunctions } from './kallsyms.ts';

const file = '/proc/kallsyms';

/** How often each name of a function stands in the file. */
function namesOfFunctions(): ReadonlyMap<string, number> {
  const names = new Map<string, number>();
  for (const line of readFileSync(file, 'latin1').split('\n')) {
    const [, type = '', name = ''] = line.split(/[ \t]/u);
    if (type !== '' && 'tTwW'.includes(type)) names.set(name, (names.get(name) ?? 0) + 1);
  }
  return names;
}

describe.skipIf(!existsSync(file))("the kernel's symbols", () => {
  it('have one function of most names, and several of some', () => {
    const names = [...namesOfFunctions()];
    for (const wanted of [1, 2, 3]) {
      const [name] = names.find(([, count]) => count === wanted) ?? [];
      if (name === undefined) continue;
      expect(findFunctions(name)).toHaveLength(wanted);
      expect(findFunction(name)).toMatchObject({ name });
    }
  });

  it('have none of a name that is only the beginning of others', () => {
    const names = namesOfFunctions();
    const [long = ''] = [...names.keys()].filter((name) => name.length > 20 && !names.has(name.slice(0, -1)));
    expect(findFunctions(long.slice(0, -1))).toEqual([]);
    expect(findFunction('no_such_function_anywhere')).toBeUndefined();
  });
});
