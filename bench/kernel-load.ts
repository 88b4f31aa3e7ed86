import { closeSync } from 'node:fs';
import { compilePredicate } from '../src/faults/kernel/compiler/compile.ts';
import { closeMaps, createMaps } from '../src/faults/kernel/maps.ts';
import { type Design, taskOffsets } from '../src/faults/kernel/programs/design.ts';
import { failureProgram } from '../src/faults/kernel/programs/failure.ts';
import { programsOf } from '../src/faults/kernel/programs/programs.ts';
import { architecture } from '../src/linux/arch.ts';
import { loadProgram } from '../src/linux/bpf/program.ts';
import { readBtf } from '../src/linux/btf/btf.ts';
import { type Figure, median } from './figure.ts';

/*
 * Compiling the programs of three frames and having the verifier take them, which any machine does whether it has
 * kprobes or not: but for the one call that overrides what a function returns.
 */

function threeFrames(): Design {
  const name = 'd_alloc_parallel';
  const parameters = 'struct dentry *parent, const struct qstr *name';
  const predicate = compilePredicate(readBtf(), {
    function: name,
    parameters,
    predicate: 'STRNCMP(name->name, "bananas", 8)',
  });
  return {
    architecture: architecture(),
    frames: [
      { function: 'do_sys_openat2', predicate: null },
      { function: 'path_openat', predicate: null },
      { function: name, predicate },
    ],
    fail: {
      function: 'should_failslab',
      predicate: null,
      result: -12n,
      gfpParameter: 1,
      noFailBit: 15,
      way: 'override',
    },
    scope: { kind: 'processes', follow: false },
    probability: 100,
    times: null,
    sparesInterrupts: true,
    task: () => taskOffsets(readBtf()),
  };
}

function compileAndLoad(): { readonly compileMs: number; readonly loadMs: number } {
  const scope = { kind: 'processes', follow: false, processes: [], sinceTicks: 0 } as const;
  const begin = performance.now();
  const design = threeFrames();
  const maps = createMaps(design.frames.length, scope);
  try {
    const programs = programsOf(design, maps.references).map(({ name, attachment, program }) => ({
      name,
      program: attachment.kind === 'override' ? failureProgram(design, maps.references, false) : program,
    }));
    const compiled = performance.now();
    for (const { name, program } of programs) closeSync(loadProgram(name, program, { type: 'kprobe' }));
    return { compileMs: compiled - begin, loadMs: performance.now() - compiled };
  } finally {
    closeMaps(maps.all);
  }
}

/** @param runs how often each is done */
export function loadFigures(runs: number): readonly Figure[] {
  const begin = performance.now();
  readBtf();
  const typesMs = performance.now() - begin;
  const first = compileAndLoad();
  const others = Array.from({ length: runs }, compileAndLoad);
  const both = ({ compileMs, loadMs }: typeof first): number => compileMs + loadMs;
  return [
    { name: "reading the kernel's types, once", value: typesMs, unit: 'ms' },
    { name: 'three frames: compile and load, the first time', value: both(first), unit: 'ms', bound: '≤ 30 ms' },
    { name: 'three frames: compile, p50', value: median(others.map(({ compileMs }) => compileMs)), unit: 'ms' },
    { name: 'three frames: load, p50', value: median(others.map(({ loadMs }) => loadMs)), unit: 'ms' },
  ];
}
