import type { Command } from 'commander';
import { isShell, type Shell, shells } from '../completion/shell.ts';
import { addExamples } from '../help/examples.ts';
import type { ProgramName } from '../invocation.ts';
import { say, write } from '../output/style.ts';

interface ShellHelp {
  readonly details: readonly string[];
  /** Where the script lies to be there in every shell. */
  readonly file: string;
}

function helpFor(shell: Shell, program: ProgramName): ShellHelp {
  const helps: Readonly<Record<Shell, ShellHelp>> = {
    bash: {
      details: [
        `In this shell only: source <(${program} completion bash). Needs bash 4.0 or newer; the folder below is ` +
          `read by ` +
          'the package bash-completion.',
      ],
      file: `/etc/bash_completion.d/${program}`,
    },
    zsh: {
      details: [
        `In this shell only: source <(${program} completion zsh). The completion system must have been started ` +
          `before, ` +
          'by autoload -Uz compinit && compinit in ~/.zshrc.',
      ],
      file: `"\${fpath[1]}/_${program}"`,
    },
    fish: {
      details: [`In this shell only: ${program} completion fish | source`],
      file: `~/.config/fish/completions/${program}.fish`,
    },
  };
  return helps[shell];
}

function addShell(completion: Command, program: ProgramName, shell: Shell): void {
  const command = completion
    .command(shell)
    .summary(`print the completion script for ${shell}`)
    .description(`Print the script that makes ${shell} complete ${program}'s commands, flags and values`);
  const { details, file } = helpFor(shell, program);
  addExamples(command, details, [{ command: `completion ${shell} > ${file}`, does: 'in every shell from now on' }]);
  command.action(async () => {
    const { completionScript } = await import('../completion/scripts.ts');
    write('stdout', completionScript(shell, program));
  });
}

/** What a script asks for at each Tab. Whatever goes wrong, nothing is said: the user is typing. */
async function answerScript(root: Command, shell: string, words: readonly string[]): Promise<void> {
  if (!isShell(shell)) return;
  const { complete } = await import('../completion/complete.ts');
  try {
    say(await complete(root, shell, words));
  } catch {
    // There is nothing to offer.
  }
}

/** `completion bash|zsh|fish`, and the hidden `__complete` that the scripts ask. */
export function addCompletion(root: Command, program: ProgramName): void {
  const completion = root
    .command('completion')
    .summary('print a completion script for a shell')
    .description(
      `Print the script that makes a shell complete ${program}'s commands, flags and values: processes, ` +
        `signals, UIDs, …`,
    );
  addExamples(
    completion,
    [],
    shells.map((shell) => ({ command: `completion ${shell} --help`, does: `how to set it up in ${shell}` })),
  );
  for (const shell of shells) addShell(completion, program, shell);
  root
    .command('__complete [WORDS...]', { hidden: true })
    .requiredOption('--shell <SHELL>')
    .action((words: readonly string[], options: { shell: string }) => answerScript(root, options.shell, words));
}
