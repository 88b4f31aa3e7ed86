import type { Command } from 'commander';
import { withEngine } from '../engine-session.ts';
import { invocationOf, type ProgramName } from '../invocation.ts';
import { remark } from '../output/style.ts';

/** `keeper`: how commands run their keeper; not for people. */
export function addKeeper(root: Command, program: ProgramName): void {
  const command = root.command('keeper', { hidden: true }).description('Watch the leases of a state folder');
  command.action(async () => {
    const invocation = invocationOf(program, command);
    await withEngine(invocation, { via: 'keeper', supervise: false }, (engine) =>
      engine.keep((error) => {
        remark(
          `${new Date().toISOString()} ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`,
        );
      }),
    );
  });
}
