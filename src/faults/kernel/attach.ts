import { closeSync } from 'node:fs';
import { FaultlineError } from '../../base/error.ts';
import { attachKprobe, attachModifyReturn, attachRawTracepoint } from '../../linux/bpf/attach.ts';
import { objectId } from '../../linux/bpf/map.ts';
import { loadProgram, type ProgramKind } from '../../linux/bpf/program.ts';
import { findType, readBtf } from '../../linux/btf/btf.ts';
import { errorInjectionList } from '../../linux/error-injection.ts';
import { isErrno } from '../../linux/syscall-error.ts';
import { functionUninjectable, functionUnknown } from './functions.ts';
import { lateChildren } from './late-children.ts';
import { addProcesses, closeMaps, createMaps, type MapIds } from './maps.ts';
import type { Design } from './programs/design.ts';
import { type Attachment, type PlannedProgram, programsOf } from './programs/programs.ts';
import type { PlannedScope } from './scope.ts';

/** Programs that run, as long as the descriptors are open in some process. */
export interface Attached {
  readonly fds: readonly number[];
  readonly programIds: readonly number[];
  readonly maps: MapIds;
}

function kindOf({ kind, ...attachment }: Attachment): ProgramKind {
  if (kind === 'tracepoint') return { type: 'raw-tracepoint' };
  if (kind !== 'modify-return') return { type: 'kprobe' };
  const name = 'function' in attachment ? attachment.function : '';
  const functionId = findType(readBtf(), name, 'function');
  if (functionId === undefined) throw functionUnknown(name);
  return { type: 'modify-return', functionId };
}

function attach(attachment: Attachment, program: number): number {
  switch (attachment.kind) {
    case 'tracepoint':
      return attachRawTracepoint(attachment.name, program);
    case 'modify-return':
      return attachModifyReturn(program);
    default:
      return attachKprobe(attachment.function, attachment.kind === 'return' ? 'return' : 'entry', program);
  }
}

/** What the kernel's errno means, for whoever named the function. */
function explained(attachment: Attachment, error: unknown): unknown {
  if (attachment.kind === 'tracepoint') return error;
  const { kind, function: name } = attachment;
  if (isErrno(error, 'ENOENT', 'EADDRNOTAVAIL')) return functionUnknown(name);
  if (!isErrno(error, 'EINVAL')) return error;
  if (kind === 'override') {
    const list = errorInjectionList();
    if (list?.has(name) === false) return functionUninjectable(name, list);
  }
  return new FaultlineError('ARGUMENT_INVALID', `the kernel does not let ${name} be probed`, {
    hint: 'it is in /sys/kernel/debug/kprobes/blacklist, or not traceable; name one that calls it, or that it calls',
    cause: error,
  });
}

function start({ name, attachment, program }: PlannedProgram): { readonly fd: number; readonly programId: number } {
  const loaded = loadProgram(name, program, kindOf(attachment));
  try {
    return { fd: attach(attachment, loaded), programId: objectId(loaded) };
  } catch (error) {
    throw explained(attachment, error);
  } finally {
    closeSync(loaded); // what it is attached to keeps it
  }
}

/**
 * Load the programs of a design and attach them. Either all of them run afterwards, or none.
 *
 * @throws {FaultlineError} ARGUMENT_INVALID: a function, or a predicate; SYSCALL_FAILED
 */
export function attachDesign(design: Design, scope: PlannedScope): Attached {
  const maps = createMaps(design.frames.length, scope);
  const started: { readonly fd: number; readonly programId: number }[] = [];
  try {
    for (const program of programsOf(design, maps.references)) started.push(start(program));
    // From now on the kernel tells of children; those from before are looked for.
    if (scope.kind === 'processes' && scope.follow) addProcesses(maps, lateChildren(scope));
  } catch (error) {
    for (const { fd } of started) closeSync(fd);
    throw error;
  } finally {
    closeMaps(maps.all); // the programs have them
  }
  return Object.freeze({
    fds: started.map(({ fd }) => fd),
    programIds: started.map(({ programId }) => programId),
    maps: maps.ids,
  });
}
