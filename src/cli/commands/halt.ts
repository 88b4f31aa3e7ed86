import type { Command } from 'commander';
import { textOf } from '../../base/json.ts';
import { FaultlineError } from '../../base/error.ts';
import { printable } from '../../base/text.ts';
import type { Operations } from '../../api/operations.ts';
import { addConnectionOptions } from '../connection-options.ts';
import { addExamples } from '../help/examples.ts';
import { type Invocation, invocationOf, type ProgramName } from '../invocation.ts';
import { withOperations } from '../operations-session.ts';
import { sayDocument } from '../output/format.ts';
import { say } from '../output/style.ts';
import { addOutputOption } from './common.ts';
import { saySweep } from './recover.ts';

async function release(operations: Operations, { format }: Invocation): Promise<void> {
  const { halted, reason } = await operations.releaseHalt();
  if (format !== 'text') await sayDocument({ halted: false, was: reason }, format);
  else if (!halted) say('Attacks were not halted');
  else say(`Attacks are allowed again (they were halted: ${printable(textOf(reason))})`);
}

async function status(operations: Operations, { format }: Invocation): Promise<void> {
  const { halted, reason, by, at } = await operations.halted();
  if (format !== 'text') await sayDocument({ halted, reason, by }, format);
  else if (!halted) say('Attacks are allowed');
  else say(`Attacks are halted since ${textOf(at)}: ${printable(textOf(reason))}`);
}

/** `halt`: the emergency stop. */
export function addHalt(root: Command, program: ProgramName): void {
  const command = root
    .command('halt')
    .summary('emergency stop: undo everything, allow no more attacks')
    .description('Emergency stop: undo everything that is live and refuse new attacks until it is released')
    .option('--reason <TEXT>', 'Why; told to whoever attacks meanwhile')
    .option('--release', 'Allow attacks again')
    .option('--status', 'Tell whether attacks are halted');
  addOutputOption(command);
  addConnectionOptions(command);
  addExamples(
    command,
    ['The latch is set first, so that attacks that are just under way stop and undo themselves. It survives a reboot.'],
    [
      { command: "halt --reason 'checkout is down'", does: 'undo everything now' },
      { command: 'halt --release', does: 'allow attacks again' },
    ],
  );
  command.action(async () => {
    const invocation = invocationOf(program, command);
    const { reason, release: wantsRelease, status: wantsStatus } = command.opts<Record<string, unknown>>();
    // Without any of them it halts: in an emergency nobody should have to look up how.
    if ([reason !== undefined, wantsRelease === true, wantsStatus === true].filter(Boolean).length > 1) {
      throw new FaultlineError('ARGUMENT_INVALID', 'give only one of --reason TEXT, --release and --status', {
        hint: "faultline halt --reason 'why'",
      });
    }
    await withOperations(invocation, { repair: 'never' }, async (operations) => {
      if (wantsStatus === true) await status(operations, invocation);
      else if (wantsRelease === true) await release(operations, invocation);
      else {
        const sweep = await operations.halt(typeof reason === 'string' ? reason : 'no reason was given');
        if (invocation.format === 'text') say('Attacks are halted until faultline halt --release');
        await saySweep(invocation, sweep);
      }
    });
  });
}
