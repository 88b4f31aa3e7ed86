import { closeSync } from 'node:fs';
import { assembler } from '../../src/linux/bpf/assembler.ts';
import { loadProgram } from '../../src/linux/bpf/program.ts';

function tryLoading(): boolean {
  try {
    closeSync(loadProgram('try', assembler().compute(0, '=', 0).exit().finish(), { type: 'raw-tracepoint' }));
    return true;
  } catch {
    return false;
  }
}

/** May we load programs into the kernel? Otherwise tests that do are skipped, and say so. */
export const mayLoadPrograms = tryLoading();
if (!mayLoadPrograms) console.warn('skipped: programs cannot be loaded into this kernel by this user');
