import type { Command } from 'commander';
import type { Example } from '../../faults/fault.ts';
import { wrapped as brokenUp } from '../output/wrapped.ts';

const textWidth = 80;

/** Break a paragraph into lines. */
export function wrapped(paragraph: string, width = textWidth): string {
  return brokenUp(paragraph, '', '', width).join('\n');
}

/** What a command's help says beside its flags; the man page and the reference read it too. */
export interface HelpTexts {
  readonly details: readonly string[];
  readonly examples: readonly Example[];
}

const texts = new WeakMap<Command, HelpTexts>();

export function helpTextsOf(command: Command): HelpTexts {
  return texts.get(command) ?? { details: [], examples: [] };
}

function rootName(command: Command): string {
  return command.parent === null ? command.name() : rootName(command.parent);
}

/** Give a command paragraphs and examples, at the end of its help. */
export function addExamples(command: Command, details: readonly string[], examples: readonly Example[]): void {
  texts.set(command, { details, examples });
  command.addHelpText('after', () => {
    // chaosd's layout has its own places for them.
    if (rootName(command) === 'chaosd') return '';
    const paragraphs = details.map((paragraph) => `\n${wrapped(paragraph)}`);
    const shown = examples.map(({ command: line, does }) => `  ${rootName(command)} ${line}\n      ${does}`);
    return [...paragraphs, ...(shown.length === 0 ? [] : ['\nExamples:', ...shown])].join('\n');
  });
}
