import type { Command } from 'commander';
import { FaultlineError } from '../../base/error.ts';
import { faultOf } from '../../faults/registry.ts';
import { ownProgram } from '../engine-session.ts';
import { invocationOf, type ProgramName } from '../invocation.ts';

/** Print all of it, and end: nothing that a library left open must keep such a process. */
function printAndExit(text: string): void {
  process.stdout.write(text, () => process.exit());
}

/** `fault-program`: how faults run processes of their own; not for people. */
export function addFaultProgram(root: Command, program: ProgramName): void {
  const command = root
    .command('fault-program', { hidden: true })
    .description('Run a process that a fault needs')
    .argument('<KIND>')
    .argument('<NAME>')
    .argument('[ARGUMENT]');
  command.action(async (kind: string, name: string, argument: string | undefined) => {
    const { stateDir } = invocationOf(program, command);
    const load = faultOf(kind).programs?.[name];
    if (load === undefined || stateDir === undefined) {
      throw new FaultlineError('ARGUMENT_INVALID', `the fault ${kind} has no program for this`);
    }
    const run = await load();
    printAndExit((await run({ stateDir, program: ownProgram() }, argument ?? '')) ?? '');
  });
}
