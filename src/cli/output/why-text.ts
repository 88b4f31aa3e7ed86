import { printable } from '../../base/text.ts';
import type { Answer, AnswerTable, Cause } from '../../forensics/answer.ts';
import { painterFor } from './style.ts';
import { tableText } from './table.ts';
import { wrapped } from './wrapped.ts';

/** An answer fits on one screen: what is more than this is told by `-o json`. */
const mostCauses = 6;
const mostEvidence = 4;
const mostSteps = 3;

const indent = 10;

const colors = { certain: 'red', likely: 'yellow', possible: 'cyan', unlikely: undefined } as const;

function points(items: readonly string[], mark: string, most: number): readonly string[] {
  const gap = ' '.repeat(indent);
  return items.slice(0, most).flatMap((item) => wrapped(printable(item), `${gap}${mark} `, `${gap}  `));
}

function causeLines({ likelihood, title, evidence, next }: Cause): readonly string[] {
  const color = colors[likelihood];
  const [head = '', ...more] = wrapped(printable(title), likelihood.padEnd(indent), ' '.repeat(indent));
  const word = head.slice(0, indent);
  const painted = color === undefined ? word : painterFor('stdout')(color, word);
  return [
    `${painted}${head.slice(indent)}`,
    ...more,
    ...points(evidence, '·', mostEvidence),
    ...points(next, '→', mostSteps),
  ];
}

async function tableLines({ title, columns, rows }: AnswerTable): Promise<readonly string[]> {
  return [
    '',
    printable(title),
    await tableText(
      columns,
      rows.map((row) => row.map(printable)),
    ),
  ];
}

/** The answer to a question after a death, for a person to read. */
export async function whyText({ summary, causes, notes, tables = [] }: Answer): Promise<string> {
  const shown = causes.slice(0, mostCauses);
  const rest = causes.length - shown.length;
  const drawn = await Promise.all(tables.map(tableLines));
  return [
    ...wrapped(printable(summary), '', '  '),
    ...(shown.length === 0 ? [] : ['']),
    ...shown.flatMap(causeLines),
    ...(rest > 0 ? [`${' '.repeat(indent)}… and ${rest} more (-o json)`] : []),
    ...drawn.flat(),
    ...(notes.length === 0 ? [] : ['']),
    ...notes.flatMap((note) => wrapped(printable(note), 'Note: ', '      ')),
  ].join('\n');
}
