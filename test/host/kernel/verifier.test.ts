import { closeSync } from 'node:fs';
import { afterEach, describe, expect, test } from 'vitest';
import { compilePredicate, type Predicate } from '../../../src/faults/kernel/compiler/compile.ts';
import { closeMaps, createMaps, type OpenMaps, readCounts, stopPrograms } from '../../../src/faults/kernel/maps.ts';
import { type Design, type ScopeDesign, taskOffsets } from '../../../src/faults/kernel/programs/design.ts';
import { failureProgram } from '../../../src/faults/kernel/programs/failure.ts';
import { programsOf } from '../../../src/faults/kernel/programs/programs.ts';
import { architecture } from '../../../src/linux/arch.ts';
import { attachRawTracepoint } from '../../../src/linux/bpf/attach.ts';
import { objectId } from '../../../src/linux/bpf/map.ts';
import { loadProgram, programExists } from '../../../src/linux/bpf/program.ts';
import { readBtf } from '../../../src/linux/btf/btf.ts';
import { readStat } from '../../../src/linux/procfs/stat.ts';
import { readProcesses } from '../../../src/faults/kernel/maps.ts';
import { identityOf } from '../../../src/targets/identity.ts';
import { mayLoadPrograms } from '../../support/kernel-programs.ts';
import { sleeper, until } from '../targets/processes.ts';

/*
 * The kernel of any machine takes the programs of kernel faults, whether it has kprobes or not; only to override what a
 * function returns it may refuse, and so that one call is left out here.
 */

const open: OpenMaps[] = [];
afterEach(() => {
  for (const { all } of open.splice(0)) closeMaps(all);
});

function predicate(name: string, parameters: string | null, text: string): Predicate {
  return compilePredicate(readBtf(), { function: name, parameters, predicate: text });
}

function design(scope: ScopeDesign, more: Partial<Design> = {}): Design {
  return {
    architecture: architecture(),
    frames: [
      {
        function: '__x64_sys_openat',
        predicate: predicate('__x64_sys_openat', 'int dfd, const char *file', 'dfd < 0'),
      },
      { function: 'vfs_open', predicate: null },
      {
        function: 'd_alloc_parallel',
        predicate: predicate(
          'd_alloc_parallel',
          'struct dentry *parent, const struct qstr *name',
          'STRNCMP(name->name, "bananas", 8) || parent->d_inode->i_ino / 3 > 5',
        ),
      },
    ],
    fail: {
      function: 'should_failslab',
      predicate: predicate('should_failslab', 'void *cache, gfp_t flags', '(flags & 0x800) != 0'),
      result: -12n,
      gfpParameter: 1,
      noFailBit: 15,
      way: 'override',
    },
    scope,
    probability: 50,
    times: 2,
    task: () => taskOffsets(readBtf()),
    ...more,
  };
}

function mapsFor(one: Design): OpenMaps {
  const scope =
    one.scope.kind === 'processes'
      ? ({ kind: 'processes', follow: one.scope.follow, processes: [] } as const)
      : ({ kind: 'system' } as const);
  const maps = createMaps(one.frames.length, scope);
  open.push(maps);
  return maps;
}

const scopes: readonly ScopeDesign[] = [
  { kind: 'processes', follow: true },
  { kind: 'processes', follow: false },
  { kind: 'system' },
];

describe.skipIf(!mayLoadPrograms)('the verifier takes', () => {
  test.each(scopes)('all programs with frames and predicates: %o', (scope) => {
    const one = design(scope);
    const maps = mapsFor(one);
    const programs = programsOf(one, maps.references);
    expect(programs.map(({ name }) => name)).toEqual(
      expect.arrayContaining(['fail', 'return_1', 'enter_1', 'return_2', 'enter_2', 'return_3', 'enter_3']),
    );
    for (const { name, attachment, program } of programs) {
      const type = attachment.kind === 'tracepoint' ? 'raw-tracepoint' : 'kprobe';
      const taken = attachment.kind === 'override' ? failureProgram(one, maps.references, false) : program;
      expect(() => closeSync(loadProgram(name, taken, { type }))).not.toThrow();
    }
  });

  test.each(scopes)('what fails without frames: %o', (scope) => {
    for (const more of [{}, { times: null, probability: 100 }]) {
      const one = design(scope, { frames: [], ...more });
      const { references } = mapsFor(one);
      const program = failureProgram(one, references, false);
      expect(() => closeSync(loadProgram('fail', program, { type: 'kprobe' }))).not.toThrow();
    }
  });

  test('nothing that reads where it must not, and says why', () => {
    const one = design({ kind: 'system' });
    const { references } = mapsFor(one);
    // A return program is no tracepoint's: its context has no such place.
    const { program } = programsOf(one, references).find(({ name }) => name === 'return_1') ?? { program: undefined };
    if (program === undefined) throw new Error('there is no such program');
    expect(() => loadProgram('wrong', program, { type: 'raw-tracepoint' })).toThrow(
      /the kernel refuses the program wrong: .*(?:invalid|context)/u,
    );
  });
});

describe.skipIf(!mayLoadPrograms)('programs that run', () => {
  test('follow the children of a process, and end with their descriptors', async () => {
    const one = design({ kind: 'processes', follow: true });
    const self = readStat('self');
    if (self === undefined) throw new Error('this process cannot be seen');
    const processes = [{ identity: identityOf(self), comm: self.comm }];
    const maps = createMaps(one.frames.length, { kind: 'processes', follow: true, processes });
    open.push(maps);
    const follow = programsOf(one, maps.references).find(({ attachment }) => attachment.kind === 'tracepoint');
    if (follow === undefined) throw new Error('there is no such program');
    const program = loadProgram('follow', follow.program, { type: 'raw-tracepoint' });
    const id = objectId(program);
    const link = attachRawTracepoint('sched_process_fork', program);
    closeSync(program);
    try {
      const child = await sleeper('fl-child');
      const known = readProcesses(maps.ids.processes ?? 0);
      expect(known).toContainEqual({ pid: child.pid, startTimeTicks: readStat(child.pid)?.startTimeTicks });
      expect(known).toContainEqual({ pid: process.pid, startTimeTicks: self.startTimeTicks });
    } finally {
      closeSync(link);
    }
    await until('the program is gone', () => !programExists(id));
  });

  test('are stopped by a word in their counters', () => {
    const one = design({ kind: 'system' });
    const { ids } = mapsFor(one);
    expect(readCounts(ids.counters, 3)).toMatchObject({ seen: 0, matched: 0, injected: 0 });
    expect(stopPrograms(ids.counters, 3)?.frames).toHaveLength(3);
    for (const { all } of open.splice(0)) closeMaps(all);
    expect(readCounts(ids.counters, 3)).toBeUndefined();
  });
});
