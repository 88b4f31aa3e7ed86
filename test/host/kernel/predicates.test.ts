import { closeSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { type Random, seededRandom } from '../../../src/base/random.ts';
import { compilePredicate } from '../../../src/faults/kernel/compiler/compile.ts';
import { generatePredicate } from '../../../src/faults/kernel/compiler/generate.ts';
import { emptyStack } from '../../../src/faults/kernel/compiler/stack.ts';
import {
  sampleBtf,
  sampleBytes,
  sampleMembers,
  sampleOffsets,
} from '../../../src/faults/kernel/test-support/sample-types.ts';
import { assembler, type BpfProgram } from '../../../src/linux/bpf/assembler.ts';
import { type BpfMap, closeMap, createMap, lookupMap, u32, updateMap } from '../../../src/linux/bpf/map.ts';
import { loadProgram, runProgram } from '../../../src/linux/bpf/program.ts';
import { addressOf } from '../../../src/linux/libc.ts';
import { randomPredicates, type SampleValues, type World } from '../../support/random-predicates.ts';
import { mayLoadPrograms } from '../../support/kernel-programs.ts';

/*
 * Predicates are run by the kernel itself: the program that they are in is one of a raw tracepoint, which bpf(2) runs
 * on arguments of the test's choosing. What pointers point to is memory of this process, or that of a map, which is the
 * kernel's.
 */

const btf = sampleBtf();
const count = 1000;

function programOf(declaration: string, predicate: string): BpfProgram {
  const { typed } = compilePredicate(btf, { function: 'look', parameters: declaration, predicate });
  const code = assembler().compute(6, '=', { register: 1 });
  generatePredicate(
    { code, stack: emptyStack(), otherwise: 'out', parameter: (index, dst) => void code.load(8, dst, 6, index * 8) },
    typed,
  );
  return code.compute(0, '=', 1).exit().label('out').compute(0, '=', 0).exit().finish();
}

/** Two samples and their names, as they lie in memory that begins at an address. */
const nameOffset = 256;
const worldBytes = 512;

function writeSample(bytes: Buffer, at: number, values: SampleValues, pointers: { name: bigint; next: bigint }): void {
  for (const { name, size, bitOffset, bits } of sampleMembers) {
    const value = values.members.get(name) ?? 0n;
    const start = at + Math.floor(bitOffset / (size * 8)) * size;
    const shift = BigInt(bitOffset - (start - at) * 8);
    const width = BigInt(bits ?? size * 8);
    let whole = 0n;
    for (let byte = 0; byte < size; byte += 1) whole |= BigInt(bytes[start + byte] ?? 0) << BigInt(byte * 8);
    const mask = ((1n << width) - 1n) << shift;
    whole = (whole & ~mask) | ((value << shift) & mask);
    for (let byte = 0; byte < size; byte += 1) bytes[start + byte] = Number((whole >> BigInt(byte * 8)) & 0xffn);
  }
  for (const [index, number] of values.numbers.entries()) {
    bytes.writeInt32LE(Number(number), at + sampleOffsets.numbers + index * 4);
  }
  bytes.write(values.text, at + sampleOffsets.text, 16);
  bytes.writeBigUInt64LE(pointers.name, at + sampleOffsets.name);
  bytes.writeBigUInt64LE(pointers.next, at + sampleOffsets.next);
}

function writeWorld(bytes: Buffer, base: bigint, { samples }: World): void {
  bytes.fill(0);
  for (const [index, values] of samples.entries()) {
    const at = index * sampleBytes;
    const name = nameOffset + index * 64;
    bytes.write(`${values.name}\0`, name);
    const next = index === 0 ? base + BigInt(sampleBytes) : 0n;
    writeSample(bytes, at, values, { name: base + BigInt(name), next });
  }
}

/** Where the value of an array's map is: a program may tell, to those who may load programs. */
function addressInKernel(map: ReturnType<typeof createMap>): bigint {
  const told = createMap('told', { type: 'array', keySize: 4, valueSize: 8, maxEntries: 1 });
  const code = assembler().store(4, 10, -4, 0).map(1, { name: 'map', fd: map.fd });
  code.compute(2, '=', { register: 10 }).compute(2, '+=', -4).call('bpf_map_lookup_elem').jumpIf(0, '==', 0, 'out');
  code.store(8, 10, -16, { register: 0 }).map(1, { name: 'told', fd: told.fd });
  code.compute(2, '=', { register: 10 }).compute(2, '+=', -4).compute(3, '=', { register: 10 }).compute(3, '+=', -16);
  code.compute(4, '=', 0).call('bpf_map_update_elem').label('out').compute(0, '=', 0).exit();
  const fd = loadProgram('tell', code.finish(), { type: 'raw-tracepoint' });
  runProgram(fd, [0n]);
  closeSync(fd);
  const address = lookupMap(told, u32(0))?.readBigUInt64LE() ?? 0n;
  closeMap(told);
  return address;
}

interface Place {
  readonly bytes: Buffer;
  readonly base: bigint;
  /** The map that the bytes are written to; undefined: they lie in this process. */
  readonly map: BpfMap | undefined;
}

/** What the kernel says of a predicate in several worlds. */
function resultsOf(program: BpfProgram, worlds: readonly World[], place: Place, random: Random): readonly boolean[] {
  const fd = loadProgram('predicate', program, { type: 'raw-tracepoint' });
  try {
    return worlds.map((world) => {
      writeWorld(place.bytes, place.base, world);
      if (place.map !== undefined) updateMap(place.map, u32(0), place.bytes);
      // Above what a parameter has, registers hold anything.
      const c = world.c | (BigInt(random.integer(0, 1000)) << 8n);
      const n = BigInt.asUintN(32, world.n) | (5n << 32n);
      return runProgram(fd, [place.base, n, world.m, c]) === 1;
    });
  } finally {
    closeSync(fd);
  }
}

describe.skipIf(!mayLoadPrograms)('random predicates', () => {
  test.each([
    ["a process's memory", 'struct sample __user *it, int n, unsigned long m, unsigned char c'],
    ["the kernel's memory", 'struct sample *it, int n, unsigned long m, unsigned char c'],
  ])('hold in %s where C says so, and the kernel takes them all', { timeout: 600_000 }, (where, declaration) => {
    const random = seededRandom(`predicates in ${where}`);
    const predicates = randomPredicates(random);
    const inKernel = where.startsWith('the kernel');
    const map = createMap('worlds', { type: 'array', keySize: 4, valueSize: worldBytes, maxEntries: 1 });
    const bytes = Buffer.from(new ArrayBuffer(worldBytes));
    const base = inKernel ? addressInKernel(map) : addressOf(bytes);
    const place = { bytes, base, map: inKernel ? map : undefined };
    let held = 0;
    try {
      for (let index = 0; index < count / 2; index += 1) {
        const { text, holds } = predicates.next();
        const worlds = Array.from({ length: 4 }, () => predicates.world());
        const results = resultsOf(programOf(declaration, text), worlds, place, random);
        expect([text, results]).toStrictEqual([text, worlds.map(holds)]);
        held += results.filter(Boolean).length;
      }
    } finally {
      closeMap(map);
    }
    // Neither all nor nothing, or nothing would have been tested.
    expect(held).toBeGreaterThan(count / 4);
    expect(held).toBeLessThan((count / 2) * 3.5);
  });
});
