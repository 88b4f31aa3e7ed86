import type { Command } from 'commander';

/** `-o json|yaml|text` for commands whose `-o` chaosd does not use otherwise. */
export function addOutputOption(command: Command, flags = '-o, --output <FORMAT>'): void {
  command.option(flags, 'Print text, json or yaml (default text)');
}

/** `-f FILE`, as kubectl has it. */
export function addFileOption(command: Command): void {
  command.requiredOption('-f, --filename <FILE>', 'The file with the objects, in YAML; - is the standard input');
}
