import { existsSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { enumerations, findType, namesOf, nameOffsets, parseBtf, readBtf } from './btf.ts';
import { btfBuilder } from './test-support/btf-builder.ts';
import {
  findConstant,
  findMember,
  memberNames,
  parameterTypeNames,
  plainType,
  sizeOf,
  typeAt,
  typeName,
} from './types.ts';

function sample() {
  const build = btfBuilder();
  const u32 = build.int('unsigned int', 4, false);
  const char = build.int('char', 1, true);
  const text = build.pointer(build.named('CONST', '', char));
  const inner = build.structure('union', '', 8, [
    { name: 'whole', type: build.int('long', 8, true), bitOffset: 0 },
    { name: 'half', type: u32, bitOffset: 32 },
  ]);
  const outer = build.structure('struct', 'outer', 40, [
    { name: 'text', type: text, bitOffset: 0 },
    { name: '', type: inner, bitOffset: 64 },
    { name: 'low', type: u32, bitOffset: 128, bitSize: 3 },
    { name: 'high', type: u32, bitOffset: 131, bitSize: 29 },
    { name: 'comm', type: build.array(char, 16), bitOffset: 160 },
  ]);
  build.enumeration('colors', { RED: 1, BLUE: 7 });
  build.wideEnumeration('depths', { DEEP: -(2n ** 40n) });
  const alias = build.named('TYPEDEF', 'outer_t', outer);
  build.function('look_at', [
    ['it', build.pointer(alias)],
    ['how', u32],
  ]);
  return parseBtf(build.bytes());
}

describe('BTF', () => {
  const btf = sample();

  it('finds types by name and kind', () => {
    const outer = findType(btf, 'outer', 'structure');
    expect(outer).toBeDefined();
    expect(findType(btf, 'outer', 'function')).toBeUndefined();
    expect(findType(btf, 'oute', 'structure')).toBeUndefined();
    expect(plainType(btf, findType(btf, 'outer_t', 'named') ?? 0).number).toBe(outer);
    expect(namesOf(btf, 'function')).toStrictEqual(['look_at']);
  });

  it('finds members through those without a name, and bit-fields', () => {
    const outer = findType(btf, 'outer', 'structure') ?? 0;
    expect(findMember(btf, outer, 'text')).toMatchObject({ bitOffset: 0, bitSize: 0 });
    expect(findMember(btf, outer, 'half')).toMatchObject({ bitOffset: 96, bitSize: 0 });
    expect(findMember(btf, outer, 'high')).toMatchObject({ bitOffset: 131, bitSize: 29 });
    expect(findMember(btf, outer, 'other')).toBeUndefined();
    expect(memberNames(btf, outer)).toStrictEqual(['text', 'whole', 'half', 'low', 'high', 'comm']);
    expect(sizeOf(btf, outer)).toBe(40);
    expect(sizeOf(btf, findMember(btf, outer, 'comm')?.type ?? 0)).toBe(16);
  });

  it('knows constants of enumerations, wide ones too', () => {
    expect(findConstant(btf, 'BLUE')?.value).toBe(7n);
    expect(findConstant(btf, 'DEEP')?.value).toBe(-(2n ** 40n));
    expect(findConstant(btf, 'outer')).toBeUndefined();
    expect(enumerations(btf)).toHaveLength(2);
  });

  it('writes types as C does', () => {
    expect(parameterTypeNames(btf, 'look_at')).toEqual(['outer_t *', 'unsigned int']);
    expect(parameterTypeNames(btf, 'look_away')).toEqual([]);
    const text = findMember(btf, findType(btf, 'outer', 'structure') ?? 0, 'text')?.type ?? 0;
    expect(typeName(btf, text)).toBe('const char *');
  });

  it('reads a module that builds on the kernel', () => {
    const build = btfBuilder(btf.end, btf.stringBase + btf.strings.length);
    build.structure('struct', 'mine', 8, [
      { name: 'of', type: findType(btf, 'outer', 'structure') ?? 0, bitOffset: 0 },
    ]);
    const module = parseBtf(build.bytes(), btf);
    const mine = findType(module, 'mine', 'structure') ?? 0;
    expect(mine).toBe(btf.end);
    expect(findMember(module, mine, 'of')).toMatchObject({ type: findType(btf, 'outer', 'structure') });
    expect(typeName(module, findMember(module, mine, 'of')?.type ?? 0)).toBe('struct outer');
    expect(findType(module, 'outer', 'structure')).toBe(findType(btf, 'outer', 'structure'));
    expect(nameOffsets(module, 'mine')).toHaveLength(1);
  });

  it('refuses what is no BTF', () => {
    expect(() => parseBtf(Buffer.alloc(100))).toThrow('does not begin as BTF does');
    expect(() => parseBtf(btfBuilder().bytes().subarray(0, 20))).toThrow('cannot be read');
    expect(() => typeAt(btf, 10_000)).toThrow('there is no type 10000');
  });

  it.skipIf(!existsSync('/sys/kernel/btf/vmlinux'))('reads those of the running kernel', () => {
    const kernel = readBtf();
    const task = findType(kernel, 'task_struct', 'structure') ?? 0;
    expect(findMember(kernel, task, 'comm')?.bitOffset).toBeGreaterThan(0);
    expect(sizeOf(kernel, findMember(kernel, task, 'comm')?.type ?? 0)).toBe(16);
    expect(findConstant(kernel, 'PIDTYPE_TGID')?.value).toBe(1n);
  });
});
