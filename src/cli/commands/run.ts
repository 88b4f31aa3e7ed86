import type { Command } from 'commander';
import { addExamples } from '../help/examples.ts';
import { invocationOf, type ProgramName } from '../invocation.ts';
import { addOutputOption } from './common.ts';

interface RunFlags {
  readonly report?: string;
  readonly junit?: string;
  readonly dryRun?: boolean;
}

/** `run`: an experiment from its start to its verdict. */
export function addRun(root: Command, program: ProgramName): void {
  const command = root
    .command('run')
    .argument('<FILE>', 'The file with the experiment, in YAML; - is the standard input')
    .summary('run an experiment, and tell whether its hypothesis holds')
    .description('Run an experiment: measure the steady state, do what the method says, undo it, and measure again')
    .option('--report <FILE>', 'Write a report for people: a page of HTML, or Markdown where the name ends so (.md)')
    .option('--junit <FILE>', 'Write the verdict as JUnit XML, for CI')
    .option('--dry-run', 'Show what it would measure and touch, and touch nothing: the same as faultline plan');
  addOutputOption(command);
  addExamples(
    command,
    [
      'Whatever happens, all that it injects is undone, and the rollbacks of the file are run. Ctrl-C ends the ' +
        'method and does the same; a second Ctrl-C undoes injections only. If it is killed, the keeper, the service ' +
        'or the next command undoes what is left.',
      'The exit code is the verdict: 0 held, 1 deviated, 2 aborted, 3 error.',
      'It runs on this host. While FAULTLINE_SERVER is set it refuses to: whoever has set it means another one.',
    ],
    [
      { command: 'run kill-one-worker.yaml', does: 'does the hypothesis hold?' },
      { command: 'run kill-one-worker.yaml --report report.html', does: 'with a page to show to others' },
      { command: 'run kill-one-worker.yaml --junit result.xml -o json', does: 'in CI' },
    ],
  );
  command.action(async (file: string) => {
    const invocation = invocationOf(program, command);
    const { report, junit, dryRun }: RunFlags = command.opts();
    if (dryRun === true) {
      const { planSession } = await import('../plan-session.ts');
      await planSession(invocation, file);
      return;
    }
    const { runSession } = await import('../run-session.ts');
    await runSession(invocation, { file, report, junit });
  });
}
