import type { Command } from 'commander';
import { FaultlineError } from '../../base/error.ts';
import { printable } from '../../base/text.ts';
import type { Engine } from '../../experiment/engine.ts';
import { withEngine } from '../engine-session.ts';
import { addExamples } from '../help/examples.ts';
import { type Invocation, invocationOf, type ProgramName } from '../invocation.ts';
import { sayDocument } from '../output/format.ts';
import { say } from '../output/style.ts';
import { addOutputOption } from './common.ts';
import { saySweep } from './recover.ts';

async function release(engine: Engine, { format }: Invocation): Promise<void> {
  const latched = await engine.releaseHalt();
  if (format !== 'text') await sayDocument({ halted: false, was: latched?.reason ?? null }, format);
  else if (latched === undefined) say('Attacks were not halted');
  else say(`Attacks are allowed again (they were halted: ${printable(latched.reason)})`);
}

async function status(engine: Engine, { format }: Invocation): Promise<void> {
  const latched = engine.halted();
  if (format !== 'text') {
    await sayDocument(
      { halted: latched !== undefined, reason: latched?.reason ?? null, by: latched?.actor ?? null },
      format,
    );
  } else if (latched === undefined) {
    say('Attacks are allowed');
  } else {
    say(`Attacks are halted since ${new Date(latched.at).toISOString()}: ${printable(latched.reason)}`);
  }
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
    await withEngine(invocation, { via: 'cli', supervise: false }, async (engine) => {
      if (wantsStatus === true) await status(engine, invocation);
      else if (wantsRelease === true) await release(engine, invocation);
      else {
        const sweep = await engine.halt(typeof reason === 'string' ? reason : 'no reason was given');
        if (invocation.format === 'text') say('Attacks are halted until faultline halt --release');
        await saySweep(invocation, sweep);
      }
    });
  });
}
