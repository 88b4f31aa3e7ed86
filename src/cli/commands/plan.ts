import type { Command } from 'commander';
import { addExamples } from '../help/examples.ts';
import { invocationOf, type ProgramName } from '../invocation.ts';
import { addOutputOption } from './common.ts';

/** `plan`: what a run of an experiment would measure and touch. */
export function addPlan(root: Command, program: ProgramName): void {
  const command = root
    .command('plan')
    .summary('show what an experiment would measure and touch')
    .description('Show what a run of an experiment would measure and touch, and touch nothing')
    .argument('<FILE>', 'The file with the experiment, in YAML; - is the standard input');
  addOutputOption(command);
  addExamples(
    command,
    [
      'Each attack is planned as it would be made now: whom it would hit, whom it would leave out, and why. An ' +
        'attack that would be refused, or would go beyond the blast radius, is an error at its place in the file. ' +
        'Nothing is attacked, no probe measures, no command is run. The exit code is 0, or 3 when the run could ' +
        'not succeed.',
    ],
    [
      { command: 'plan kill-one-of-two.yaml', does: 'whom would it hit?' },
      { command: 'plan kill-one-of-two.yaml -o json', does: 'the same, for a program that approves it' },
    ],
  );
  command.action(async (file: string) => {
    const { planSession } = await import('../plan-session.ts');
    await planSession(invocationOf(program, command), file);
  });
}
