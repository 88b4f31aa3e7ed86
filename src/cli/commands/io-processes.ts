import type { Command } from 'commander';
import { FaultlineError } from '../../base/error.ts';
import { ownProgram } from '../engine-session.ts';
import { invocationOf, type ProgramName } from '../invocation.ts';

/** `io-daemon` and `io-repointer`: processes that faults in files need; not for people. */
export function addIoProcesses(root: Command, program: ProgramName): void {
  const daemon = root.command('io-daemon', { hidden: true }).description('Serve a volume').argument('<KEY>');
  daemon.action(async (key: string) => {
    const { stateDir } = invocationOf(program, daemon);
    if (stateDir === undefined) throw new FaultlineError('ARGUMENT_INVALID', '--state-dir is missing');
    const { runDaemon } = await import('../../faults/io/daemon/daemon.ts');
    await runDaemon({ stateDir: stateDir, program: ownProgram() }, key);
    process.exit();
  });
  const repointer = root.command('io-repointer', { hidden: true }).description('Move open files');
  repointer.action(async () => {
    const { runErrand } = await import('../../faults/io/daemon/repointer.ts');
    await runErrand();
  });
}
