import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { start, until } from '../host/targets/processes.ts';

/*
 * A shell's line editor on a terminal of its own, for tests of what the Tab key does. script(1) makes the terminal; a
 * key
 * that is bound for it writes the line to a file, after whatever was typed before has been dealt with.
 */

export type EditingShell = 'bash' | 'zsh';

export interface LineEditor {
  /** Type keys into an empty line. @returns the line as it then is */
  lineAfter(keys: string): Promise<string>;
}

const prompt = 'what next?';
/** Ctrl-X d, and Ctrl-U. */
const dumpKeys = '\u0018d';
const clearKeys = '\u0015';

const dump = (line: string): string => `dump() { printf '%s' "${line}" > "$DUMP.new"; mv "$DUMP.new" "$DUMP"; }`;

/** What the shell reads when it starts. */
const startupFiles: Readonly<Record<EditingShell, readonly string[]>> = {
  bash: [`PS1='${prompt}'`, dump('$READLINE_LINE'), String.raw`bind -x '"\C-xd": dump'`],
  zsh: [
    `PS1='${prompt}'`,
    'autoload -Uz compinit && compinit -u -D',
    dump('$BUFFER'),
    "zle -N dump && bindkey '^Xd' dump && bindkey '^U' kill-whole-line",
  ],
};

const commands: Readonly<Record<EditingShell, string>> = {
  bash: 'exec bash --noprofile --rcfile "$STARTUP/.bashrc" -i',
  zsh: 'exec env ZDOTDIR="$STARTUP" zsh -d -i',
};

/**
 * Start a shell whose line editor can be typed into; it ends with the test.
 *
 * @param folder for its files; it is the caller's to remove
 * @param setup lines that the shell runs first
 */
export async function openLineEditor(
  shell: EditingShell,
  folder: string,
  setup: readonly string[],
  env: NodeJS.ProcessEnv,
): Promise<LineEditor> {
  const startup = path.join(folder, `start-${shell}`);
  mkdirSync(startup);
  writeFileSync(path.join(startup, `.${shell}rc`), [...startupFiles[shell], ...setup, ''].join('\n'));
  const dumped = path.join(folder, `line-${shell}`);
  const { child } = await start('script', ['--quiet', '--flush', '--command', commands[shell], '/dev/null'], {
    cwd: folder,
    env: { ...env, HOME: folder, STARTUP: startup, DUMP: dumped, TERM: 'xterm', SHELL: '/bin/sh' },
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  let screen = '';
  child.stdout?.on('data', (piece: Buffer) => (screen += piece.toString('latin1')));
  await until(`${shell} waits for a line`, () => screen.includes(prompt));
  return {
    lineAfter: async (keys) => {
      child.stdin?.write(`${clearKeys}${keys}${dumpKeys}`);
      await until(`${shell} has dealt with ${JSON.stringify(keys)}`, () => existsSync(dumped));
      const line = readFileSync(dumped, 'utf8');
      rmSync(dumped);
      return line;
    },
  };
}
