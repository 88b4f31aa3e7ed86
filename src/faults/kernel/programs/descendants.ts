import type { BpfProgram } from '../../../linux/bpf/assembler.ts';
import {
  beginProgram,
  checkProcess,
  context,
  endProgram,
  framePointer,
  lookup,
  out,
  readKernel,
  stackAddress,
  startTicks,
} from './common.ts';
import type { Design, MapReferences } from './design.ts';

/**
 * At the tracepoint `sched_process_fork` (parent, child): a process that one of those in scope starts is in scope, too.
 */
export function forkProgram(design: Design, maps: MapReferences): BpfProgram {
  const draft = beginProgram(design, maps);
  const { code, stack } = draft;
  const [key, value] = [stack.take(8), stack.take(8)];
  code.remark('a child of a process in scope?');
  checkProcess(draft);
  code.load(8, 7, context, 8);
  readKernel(draft, 8, 7, design.task().tgid, 4);
  code.call('bpf_get_current_pid_tgid').compute(0, '>>=', 32);
  code.remark('a thread more is no process').jumpIf(0, '==', { register: 8 }, out);
  code.store(4, framePointer, key, { register: 8 });
  startTicks(draft);
  code.store(8, framePointer, value, { register: 7 }).map(1, maps.processes);
  stackAddress(stackAddress(code, 2, key), 3, value)
    .compute(4, '=', 0)
    .call('bpf_map_update_elem');
  return endProgram(draft);
}

/**
 * At the tracepoint `sched_process_free` (task), when the last of a task is given back: its process is not in scope any
 * more. Its number may be another's by now, which has started later.
 */
export function exitProgram(design: Design, maps: MapReferences): BpfProgram {
  const draft = beginProgram(design, maps);
  const { code, stack } = draft;
  const [key, value] = [stack.take(8), stack.take(8)];
  const { pid, tgid } = design.task();
  code.load(8, 7, context, 0);
  readKernel(draft, 8, 7, tgid, 4);
  code.store(4, framePointer, key, { register: 8 });
  readKernel(draft, 1, 7, pid, 4);
  code.remark('a thread less is no process').jumpIf(1, '!=', { register: 8 }, out);
  code.remark('a process in scope?');
  lookup(draft, maps.processes, key).jumpIf(0, '==', 0, out).load(8, 1, 0, 0);
  code.store(8, framePointer, value, { register: 1 });
  startTicks(draft);
  code.load(8, 1, framePointer, value).jumpIf(7, '!=', { register: 1 }, out).map(1, maps.processes);
  stackAddress(code, 2, key).call('bpf_map_delete_elem');
  return endProgram(draft);
}
