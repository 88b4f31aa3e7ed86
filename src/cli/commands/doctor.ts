import type { Command } from 'commander';
import { printable } from '../../base/text.ts';
import { type ExaminationDocument, plain } from '../../api/documents.ts';
import type { Requirement } from '../../faults/fault.ts';
import { faults } from '../../faults/registry.ts';
import { addConnectionOptions } from '../connection-options.ts';
import { addExamples } from '../help/examples.ts';
import { invocationOf, type ProgramName } from '../invocation.ts';
import { withOperations } from '../operations-session.ts';
import { sayDocument } from '../output/format.ts';
import { painterFor, say } from '../output/style.ts';
import { addOutputOption } from './common.ts';

const colors = { ok: 'green', degraded: 'yellow', missing: 'red' } as const;

function requirementLines({ name, status, detail, remedy }: Requirement): readonly string[] {
  const painted = painterFor('stdout')(colors[status], status.padEnd(9));
  const line = `  ${painted} ${name.padEnd(16)} ${printable(detail)}`;
  return remedy === undefined ? [line] : [line, `${' '.repeat(29)}→ ${printable(remedy)}`];
}

function examinationText({ part, requirements }: ExaminationDocument): string {
  return [part, ...requirements.flatMap(requirementLines)].join('\n');
}

const optionalParts = new Set(faults.filter(({ optional }) => optional === true).map(({ kind }) => kind));

function lacksSomething({ part, requirements }: ExaminationDocument): boolean {
  return !optionalParts.has(part) && requirements.some(({ status }) => status === 'missing');
}

/** `doctor`: what this host supports, and the remedy for what it does not. */
export function addDoctor(root: Command, program: ProgramName): void {
  const command = root
    .command('doctor')
    .summary('tell what this host supports')
    .description(
      'Tell for each fault what this host supports, and the remedy for what it lacks; exit code 1 if something ' +
        'is missing; faults in the kernel, which few kernels allow, do not count',
    );
  addOutputOption(command);
  addConnectionOptions(command);
  addExamples(command, [], [{ command: 'doctor', does: 'look before the first attack' }]);
  command.action(async () => {
    const invocation = invocationOf(program, command);
    const examinations = await withOperations(invocation, { repair: 'never' }, (operations) => operations.examine());
    if (invocation.format === 'text') say(examinations.map(examinationText).join('\n'));
    else await sayDocument(plain(examinations), invocation.format);
    if (examinations.some(lacksSomething)) process.exitCode = 1;
  });
}
