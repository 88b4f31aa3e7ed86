import type { Argument, Command, Option } from 'commander';
import { faults } from '../../faults/registry.ts';
import { chaosdStatuses } from '../../api/chaosd-status.ts';
import { placeholderOf } from '../command-tree.ts';
import { logLevels } from '../invocation.ts';
import { sourceNames } from '../commands/watch.ts';
import { formats } from '../output/format.ts';
import { reportFormats } from '../report-session.ts';
import { isList, presentationOf, schemaOfOption } from '../schema-options.ts';
import { listOf, oneOf, runs, schedules, type Source, sourceOfKind, uids, wordsOrFiles } from './values.ts';

/** Values of flags that no schema describes, by the flag alone or with its command before it. */
const ofFlags: Readonly<Record<string, Source>> = {
  '--log-level': oneOf(logLevels),
  '--output': oneOf(formats),
  '--state-dir': () => ({ what: 'folders' }),
  'report --output': wordsOrFiles(reportFormats),
  'run --junit': sourceOfKind.file,
  'run --report': sourceOfKind.file,
  'watch --name': sourceOfKind.process,
  'watch --cgroup': sourceOfKind.cgroup,
  'watch --source': oneOf(sourceNames),
  'watch --for': sourceOfKind.duration,
  'search --kind': oneOf(faults.map(({ kind }) => kind)),
  'search --status': oneOf(chaosdStatuses),
};

/** Values of arguments, by the command and the argument's name. */
const ofArguments: Readonly<Record<string, Source>> = {
  'end SCHEDULE': schedules(false),
  'init FILE': sourceOfKind.file,
  'plan FILE': sourceOfKind.file,
  'report RUN': runs,
  'recover UID': uids('live'),
  'run FILE': sourceOfKind.file,
  'search UID': uids('all'),
  'show SCHEDULE': schedules(),
  'show UID': uids('all'),
  'validate FILE': sourceOfKind.file,
};

/** Where the values of a flag come from: its schema, or the table above. */
export function sourceOfOption(command: Command, option: Option): Source {
  const flag = option.long ?? '';
  const schema = schemaOfOption(option);
  if (schema === undefined) {
    const byPlaceholder = placeholderOf(option) === 'FILE' ? sourceOfKind.file : sourceOfKind.none;
    return ofFlags[`${command.name()} ${flag}`] ?? ofFlags[flag] ?? byPlaceholder;
  }
  const choices: unknown = schema['enum'];
  if (Array.isArray(choices)) return oneOf(choices.map(String));
  const { completion = 'none', offers, separator } = presentationOf(schema);
  if (offers !== undefined) return separator === undefined ? oneOf(offers) : listOf(offers, separator);
  return sourceOfKind[completion];
}

export function sourceOfArgument(command: Command, argument: Argument): Source {
  return ofArguments[`${command.name()} ${argument.name()}`] ?? sourceOfKind.none;
}

/** May the flag be given more than once, each time adding to the others? */
export function isRepeatable(option: Option): boolean {
  const schema = schemaOfOption(option);
  return option.variadic || (schema !== undefined && isList(schema));
}
