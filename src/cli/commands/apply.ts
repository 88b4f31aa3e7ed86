import type { Command } from 'commander';
import { plain } from '../../api/documents.ts';
import type { AppliedDocument } from '../../api/object-documents.ts';
import { printable } from '../../base/text.ts';
import { attackSchema } from '../../experiment/request.ts';
import { objectKinds } from '../../faults/registry.ts';
import { addConnectionOptions } from '../connection-options.ts';
import { addExamples } from '../help/examples.ts';
import { type Invocation, invocationOf, type ProgramName } from '../invocation.ts';
import { withOperations } from '../operations-session.ts';
import { sayDocument } from '../output/format.ts';
import { planText } from '../output/plan-text.ts';
import { remark, say } from '../output/style.ts';
import { remarkVerdicts } from '../output/verdict-text.ts';
import { addSchemaOptions, schemaInput } from '../schema-options.ts';
import type { Understood } from '../objects/check.ts';
import { addFileOption, addOutputOption } from './common.ts';

/** What files cannot say, of all kinds together. A flag that one kind has no use for that kind's fault refuses. */
const objectProperties = Object.fromEntries(objectKinds.flatMap(({ kind }) => Object.entries(kind.properties)));

/** The uid is made of the object's name, and how long it lasts stands in the file. */
const { uid: _ofTheObject, duration: _inTheFile, ...limitProperties } = attackSchema.properties;

const labelOf = ({ kind, name }: AppliedDocument): string => `${kind.toLowerCase()}/${name}`;

function sayOne(invocation: Invocation, applied: AppliedDocument): void {
  const { uid, result, notes, injection, plan } = applied;
  if (result !== 'unchanged') for (const note of notes) remark(`Note: ${labelOf(applied)}: ${printable(note)}`);
  if (plan !== null) {
    say(`${labelOf(applied)}, uid: ${uid}\n${planText(plan)}`);
    return;
  }
  if (injection !== null && result === 'injected') remarkVerdicts(invocation, injection.targets);
  say(`${labelOf(applied)} ${result}, uid: ${uid}`);
}

async function sayApplied(invocation: Invocation, applied: readonly AppliedDocument[]): Promise<void> {
  if (invocation.format !== 'text') await sayDocument(plain(applied), invocation.format);
  else for (const one of applied) sayOne(invocation, one);
}

async function apply(invocation: Invocation, options: Readonly<Record<string, unknown>>): Promise<void> {
  const [{ readTextFile, nameOf }, { readObjects }, { understand, checkAll }, { applyAll, plannedDocument }] =
    await Promise.all([
      import('../objects/text-file.ts'),
      import('../../faults/objects.ts'),
      import('../objects/check.ts'),
      import('../objects/apply.ts'),
    ]);
  const file = String(options['filename']);
  const flags = { input: schemaInput(objectProperties, options), common: schemaInput(limitProperties, options) };
  const objects = await readObjects(await readTextFile(file), nameOf(file));
  const understood: Understood[] = [];
  for (const object of objects) understood.push(await understand(object, flags));
  const dryRun = options['dryRun'] === true;
  await withOperations(invocation, { repair: dryRun ? 'never' : 'before' }, async (operations) => {
    const checked = await checkAll(operations, understood);
    await sayApplied(invocation, dryRun ? checked.map(plannedDocument) : await applyAll(operations, checked));
  });
}

/** `apply`: what the YAML files of Chaos Mesh ask for. */
export function addApply(root: Command, program: ProgramName): void {
  const kinds = objectKinds.map(({ kind }) => kind.kind).join(', ');
  const command = root
    .command('apply')
    .summary("do what Chaos Mesh's YAML files ask for")
    .description(`Inject what the objects of Chaos Mesh in a file ask for, on this host: ${kinds}`);
  addFileOption(command);
  addSchemaOptions(command, objectProperties, 'In place of the selector of pods:');
  addSchemaOptions(command, limitProperties, 'Injection:');
  command.option('--dry-run', 'Show exactly what would be touched, and touch nothing');
  addOutputOption(command);
  addConnectionOptions(command);
  addExamples(
    command,
    [
      'Files are taken as they are, with several objects in one of them. All are checked before anything is ' +
        'injected; when one fails, those that this command has injected are undone.',
      'An object is in force under a uid that is made of its kind, namespace and name. Applied once more it is ' +
        'unchanged; to change it, delete it first. duration is the lease.',
    ],
    [
      { command: 'apply -f slow-disk.yaml --cgroup /system.slice/etcd.service', does: 'the files of these processes' },
      { command: 'apply -f slow-disk.yaml --dry-run', does: 'see what it would touch' },
      { command: 'delete -f slow-disk.yaml', does: 'undo it' },
    ],
  );
  command.action(() => apply(invocationOf(program, command), command.optsWithGlobals()));
}
