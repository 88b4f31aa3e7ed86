import { writeFileSync } from 'node:fs';
import type { Command } from 'commander';
import { FaultlineError } from '../../base/error.ts';
import { printable } from '../../base/text.ts';
import { addExamples } from '../help/examples.ts';
import type { ProgramName } from '../invocation.ts';
import { remark, write } from '../output/style.ts';

function writeExample(file: string, text: string, force: boolean): void {
  try {
    // Without --force nothing that is there is touched, not even what a link leads to: open(2), O_EXCL.
    writeFileSync(file, text, { flag: force ? 'w' : 'wx' });
  } catch (cause) {
    const { code } = cause as NodeJS.ErrnoException;
    const name = printable(file);
    if (code === 'EEXIST') {
      const hint = 'name another file, or overwrite it with --force';
      throw new FaultlineError('ARGUMENT_INVALID', `${name} is there already`, { cause, hint });
    }
    const hint = cause instanceof Error ? cause.message : String(cause);
    throw new FaultlineError('ARGUMENT_INVALID', `${name} cannot be written`, { cause, hint });
  }
}

/** `init`: an experiment to begin with. */
export function addInit(root: Command, program: ProgramName): void {
  const command = root
    .command('init')
    .summary('write an experiment to begin with')
    .description('Write an experiment to begin with, with a word on everything in it')
    .argument('[FILE]', 'Where to; without it, or for -, it is printed')
    .option('--force', 'Overwrite the file if it is there');
  addExamples(
    command,
    ['An experiment is a file in YAML: what is measured, what is done meanwhile, and what is believed to hold.'],
    [
      { command: 'init kill-one-of-two.yaml', does: 'write a file, to be changed' },
      { command: 'init | less', does: 'read it' },
    ],
  );
  command.action(async (file: string | undefined, { force = false }: { readonly force?: boolean }) => {
    const { exampleExperiment } = await import('../experiments/example.ts');
    if (file === undefined || file === '-') {
      write('stdout', exampleExperiment);
      return;
    }
    writeExample(file, exampleExperiment, force);
    remark(`${printable(file)} is written; change it, then: ${program} validate ${printable(file)}`);
  });
}
