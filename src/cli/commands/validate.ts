import type { Command } from 'commander';
import { FaultlineError } from '../../base/error.ts';
import { type Json, toJson } from '../../base/json.ts';
import { count, printable } from '../../base/text.ts';
import { addExamples } from '../help/examples.ts';
import { invocationOf, type ProgramName } from '../invocation.ts';
import { sayDocument } from '../output/format.ts';
import { remarkError } from '../output/errors.ts';
import { say } from '../output/style.ts';
import { addOutputOption } from './common.ts';
import type { Experiment } from '../../runner/experiment.ts';

/** A file, with what it holds or what is wrong with it. */
interface Validated {
  readonly file: string;
  readonly experiment: Experiment | undefined;
  readonly error: FaultlineError | undefined;
}

async function validated(file: string): Promise<Validated> {
  const { experimentAt } = await import('../experiments/experiment-file.ts');
  try {
    return { file, experiment: (await experimentAt(file)).experiment, error: undefined };
  } catch (error) {
    if (!(error instanceof FaultlineError)) throw error;
    return { file, experiment: undefined, error };
  }
}

function validText(file: string, { name, steadyState, method }: Experiment): string {
  const what = `${count(steadyState.probes.length, 'probe')}, ${count(method.length, 'step')}`;
  return `${printable(file)}: valid: ${name}, ${what}`;
}

function validDocument({ file, experiment, error }: Validated): Json {
  const problems = error?.details?.['problems'] ?? (error === undefined ? [] : [{ problem: error.message }]);
  return toJson({ file, valid: error === undefined, name: experiment?.name ?? null, problems });
}

/** `validate`: are these experiments well written? */
export function addValidate(root: Command, program: ProgramName): void {
  const command = root
    .command('validate')
    .summary('tell whether experiments are well written')
    .description('Tell whether experiments are well written, and what is wrong with those that are not')
    .argument('<FILE...>', 'Files with an experiment each, in YAML; - is the standard input');
  addOutputOption(command);
  addExamples(
    command,
    [
      'Nothing is looked at but the files: the host may be another one than that of the run. All that is wrong in a ' +
        'file is told, each with its line and column. The exit code is 0 when all files are valid, else 3.',
    ],
    [
      { command: 'validate experiments/*.yaml', does: 'in CI, before anybody runs them' },
      { command: 'validate kill-one-of-two.yaml -o json', does: 'for an editor' },
    ],
  );
  command.action(async (files: readonly string[]) => {
    const { format } = invocationOf(program, command);
    const all: Validated[] = [];
    for (const file of files) all.push(await validated(file));
    if (format !== 'text') await sayDocument(all.map(validDocument), format);
    else {
      for (const { file, experiment, error } of all) {
        if (experiment !== undefined) say(validText(file, experiment));
        if (error !== undefined) remarkError(error, format);
      }
    }
    if (all.some(({ error }) => error !== undefined)) process.exitCode = 3;
  });
}
