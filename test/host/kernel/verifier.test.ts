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
    sparesInterrupts: scope.kind !== 'system',
    probability: 50,
    times: 2,
    task: () => taskOffsets(readBtf()),
    ...more,
  };
}

function mapsFor(one: Design): OpenMaps {
  const scope =
    one.scope.kind === 'processes'
      ? ({ kind: 'processes', follow: one.scope.follow, processes: [], sinceTicks: 0 } as const)
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

  test('the largest predicate that is compiled, and a larger one is refused before', () => {
    const file = (text: string): Predicate => predicate('__x64_sys_openat', 'int dfd, const char *file', text);
    const load = (text: string): void => {
      const one = design({ kind: 'system' }, { frames: [{ function: '__x64_sys_openat', predicate: file(text) }] });
      const entry = programsOf(one, mapsFor(one).references).find(({ name }) => name === 'enter_1');
      if (entry === undefined) throw new Error('there is no such program');
      closeSync(loadProgram('large', entry.program, { type: 'kprobe' }));
    };
    for (const chain of [' && ', ' || ', ' + ', ' / ', ' < ']) {
      expect(() => load(Array(250).fill('file[dfd]').join(chain))).not.toThrow();
    }
    expect(() => load(Array(250).fill('dfd == 3').join(' || '))).not.toThrow();
    expect(() => load(Array(251).fill('dfd == 3').join(' || '))).toThrow('this has more than 500 operators');
    const text = `STRCMP(file, "${'x'.repeat(400)}")`;
    expect(() => load(Array(60).fill(text).join(' || '))).not.toThrow();
    expect(() => load(Array(160).fill(text).join(' || '))).toThrow(/^the predicate of __x64_sys_openat is too large/u);
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
  test('follow the children of a process until they have ended, and end with their descriptors', async () => {
    const one = design({ kind: 'processes', follow: true });
    const self = readStat('self');
    if (self === undefined) throw new Error('this process cannot be seen');
    const processes = [{ identity: identityOf(self), comm: self.comm }];
    const maps = createMaps(one.frames.length, { kind: 'processes', follow: true, processes, sinceTicks: 0 });
    open.push(maps);
    const links: number[] = [];
    const ids: number[] = [];
    for (const { name, attachment, program } of programsOf(one, maps.references)) {
      if (attachment.kind !== 'tracepoint') continue;
      const loaded = loadProgram(name, program, { type: 'raw-tracepoint' });
      ids.push(objectId(loaded));
      links.push(attachRawTracepoint(attachment.name, loaded));
      closeSync(loaded);
    }
    const known = (): ReturnType<typeof readProcesses> => readProcesses(maps.ids.processes ?? 0);
    const own = { pid: process.pid, startTimeTicks: self.startTimeTicks };
    try {
      const child = await sleeper('fl-child');
      expect(known()).toContainEqual({ pid: child.pid, startTimeTicks: readStat(child.pid)?.startTimeTicks });
      expect(known()).toContainEqual(own);
      process.kill(child.pid, 'SIGKILL');
      await until('who has ended is forgotten', () => !known().some(({ pid }) => pid === child.pid));
      expect(known()).toContainEqual(own);
    } finally {
      for (const link of links) closeSync(link);
    }
    expect(ids).toHaveLength(2);
    await until('the programs are gone', () => !ids.some(programExists));
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
