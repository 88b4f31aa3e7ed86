import type { Command } from 'commander';
import { addExamples } from '../help/examples.ts';
import { invocationOf, type ProgramName } from '../invocation.ts';
import { type ReportRequest, writeReport } from '../report-session.ts';

interface ReportFlags {
  readonly output?: readonly string[];
  readonly from?: string;
}

/** `report`: what became of a run, for people and for CI. */
export function addReport(root: Command, program: ProgramName): void {
  const command = root
    .command('report')
    .argument('[RUN]', 'uid of a run, or latest (default latest)')
    .summary('write a report of a run')
    .description('Write a report of a run: a page of HTML, Markdown, JUnit XML, or the document as JSON')
    .option(
      '-o, --output <FORMAT|FILE>',
      'html, md, junit or json (default html), or the file to write, whose name tells it (.html, .md, .xml, .json); ' +
        'both, if given twice',
      (value: string, before: readonly string[] | undefined) => [...(before ?? []), value],
    )
    .option(
      '--from <FILE>',
      'Read the run from what run -o json has printed, not from the journal; - is the standard input',
    );
  addExamples(
    command,
    ['The page is one file that needs no network. Without a file the report goes to the standard output.'],
    [
      { command: 'report -o report.html', does: 'the last run, as a page' },
      { command: 'report -o md', does: 'for a pull request' },
      { command: 'report --from run.json -o junit -o result.xml', does: 'in CI, from what run -o json has printed' },
    ],
  );
  command.action(async (run: string | undefined) => {
    // Not this command's own flags: its formats are not those of all others.
    const invocation = invocationOf(program, root);
    const { output = [], from }: ReportFlags = command.opts();
    const request: ReportRequest = { run: run === 'latest' ? undefined : run, output, from };
    await writeReport(invocation, request);
  });
}
