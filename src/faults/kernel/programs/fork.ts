import type { BpfProgram } from '../../../linux/bpf/assembler.ts';
import {
  beginProgram,
  checkProcess,
  context,
  endProgram,
  framePointer,
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
