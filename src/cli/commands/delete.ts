import type { Command } from 'commander';
import { errorOf, plain } from '../../api/documents.ts';
import type { DeletedDocument } from '../../api/object-documents.ts';
import { addConnectionOptions } from '../connection-options.ts';
import { addExamples } from '../help/examples.ts';
import { type Invocation, invocationOf, type ProgramName } from '../invocation.ts';
import { withOperations } from '../operations-session.ts';
import { sayDocument } from '../output/format.ts';
import { remark, say } from '../output/style.ts';
import { remarkVerdicts } from '../output/verdict-text.ts';
import { addFileOption, addOutputOption } from './common.ts';

function sayOne(invocation: Invocation, { kind, name, uid, result, recovery }: DeletedDocument): void {
  if (result === 'failed') return;
  if (recovery !== null) remarkVerdicts(invocation, recovery.targets);
  const what = result === 'already' ? 'was over already' : 'recovered';
  say(`${kind.toLowerCase()}/${name} ${what}, uid: ${uid ?? ''}`);
}

async function sayDeleted(invocation: Invocation, deleted: readonly DeletedDocument[]): Promise<void> {
  if (invocation.format !== 'text') await sayDocument(plain(deleted), invocation.format);
  else for (const one of deleted) sayOne(invocation, one);
  const [first, ...others] = deleted.flatMap(({ error }) => (error === null ? [] : [errorOf(error)]));
  for (const error of others) remark(`Error: ${error.message} [${error.code}]`);
  if (first !== undefined) throw first;
}

async function deleteFile(invocation: Invocation, file: string): Promise<void> {
  const [{ readTextFile, nameOf }, { readObjects }, { deleteAll }] = await Promise.all([
    import('../objects/text-file.ts'),
    import('../../faults/objects.ts'),
    import('../objects/delete.ts'),
  ]);
  const objects = await readObjects(await readTextFile(file), nameOf(file));
  // What is asked for is done first and reported as such, not repaired beforehand.
  await withOperations(invocation, { repair: 'after' }, async (operations) => {
    await sayDeleted(invocation, await deleteAll(operations, objects));
  });
}

/** `delete`: end what `apply` began. */
export function addDelete(root: Command, program: ProgramName): void {
  const command = root
    .command('delete')
    .summary('undo what apply injected')
    .description('Undo what the objects in a file asked for, whoever applied it');
  addFileOption(command);
  addOutputOption(command);
  addConnectionOptions(command);
  addExamples(
    command,
    [
      'Only the kinds, names and namespaces in the file count. May be run twice; the last object is undone first. ' +
        'An injection can also be undone by its uid: recover UID.',
    ],
    [
      { command: 'delete -f slow-disk.yaml', does: 'undo it' },
      { command: 'delete -f -', does: 'what the standard input has' },
    ],
  );
  command.action(() => deleteFile(invocationOf(program, command), String(command.opts()['filename'])));
}
