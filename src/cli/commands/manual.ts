import type { Command } from 'commander';
import { addExamples } from '../help/examples.ts';
import { write } from '../output/style.ts';

/** `man`: prints the man page. */
export function addManual(root: Command): void {
  const command = root.command('man').summary('print the man page').description('Print the man page, in roff');
  addExamples(command, [], [{ command: 'man | man -l -', does: 'read it' }]);
  command.action(async () => {
    const { manPage } = await import('../help/man-page.ts');
    write('stdout', manPage(root));
  });
}
