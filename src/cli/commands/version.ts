import type { Command } from 'commander';
import { version } from '../../base/version.ts';
import { addExamples } from '../help/examples.ts';
import { invocationOf, type ProgramName } from '../invocation.ts';
import { sayDocument } from '../output/format.ts';
import { say } from '../output/style.ts';
import { addOutputOption } from './common.ts';

/** `version`. */
export function addVersion(root: Command, program: ProgramName): void {
  const command = root.command('version').summary('print the version').description('Print the version');
  addOutputOption(command);
  addExamples(command, [], [{ command: 'version -o json', does: 'for a program to read' }]);
  command.action(async () => {
    const { format } = invocationOf(program, command);
    const facts = { version, node: process.versions.node, platform: process.platform, arch: process.arch };
    if (format === 'text') say(`Faultline ${version} (Node.js ${facts.node}, ${facts.platform} ${facts.arch})`);
    else await sayDocument(facts, format);
  });
}
