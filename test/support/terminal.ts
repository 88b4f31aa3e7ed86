import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { type WriteStream, createWriteStream, openSync, readFileSync, readdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { StringDecoder } from 'node:string_decoder';
import { until } from '../host/targets/processes.ts';

/*
 * A shell on a terminal, for tests that do what a person at one does: script(1) makes the terminal, bash reads the
 * commands.
 */

/** What a command printed on the terminal, both streams in their order, and its exit code. */
export interface Answer {
  readonly output: string;
  readonly code: number;
}

export interface Terminal {
  /** Have the shell run a line, and wait for its end; what it starts with `&` goes on. */
  type(command: string): Promise<Answer>;
  /** Close the shell and kill whatever was started from it, keepers too. */
  close(): Promise<void>;
}

/** Each file named in the FIFO is run; its exit code is what `$?` is for the next. No job is ever announced. */
const loop = `stty cols 100 rows 40 -echo
exec 9<"$1"
code=0
while IFS= read -r -u 9 file; do
  (exit "$code")
  . "$file"
  code=$?
  disown -a
  printf '\\036%d\\036' "$code"
done
`;

const patienceMs = 60_000;
const mark = 'FAULTLINE_TEST_TERMINAL';

/** What stays on the screen: the line that shows progress is erased, and lines end with CR LF. */
function onScreen(text: string): string {
  return text
    .replaceAll(/\r+\n/gu, '\n')
    .replaceAll(/^.*\u001b\[1G\u001b\[0K/gmu, '')
    .replaceAll(/\u001b\[[\d;?]*[A-Za-z]/gu, '');
}

function environmentOf(pid: string): string {
  try {
    return readFileSync(`/proc/${pid}/environ`, 'latin1');
  } catch {
    return ''; // it is gone, or not ours
  }
}

/** Processes that were started from the terminal, whatever became of their parents. */
function startedFrom(id: string): readonly number[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/u.test(name) && environmentOf(name).split('\0').includes(`${mark}=${id}`))
    .map(Number);
}

function kill(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch {
    // It has ended by itself.
  }
}

function makeFifo(file: string): void {
  const { status } = spawnSync('mkfifo', [file]);
  if (status !== 0) throw new Error(`mkfifo ${file} failed`);
}

function reader(child: ChildProcess) {
  const decoder = new StringDecoder('utf8');
  let text = '';
  child.stdout?.on('data', (piece: Buffer) => (text += decoder.write(piece)));
  return {
    /** What was printed up to the mark that follows each command. */
    async answer(command: string): Promise<Answer> {
      const deadline = performance.now() + patienceMs;
      const pattern = /^([^\u001e]*)\u001e(\d+)\u001e/u;
      for (;;) {
        const match = pattern.exec(text);
        if (match !== null) {
          text = text.slice(match[0].length);
          return { output: onScreen(match[1] ?? ''), code: Number(match[2]) };
        }
        if (performance.now() > deadline) throw new Error(`no end of "${command}" after a minute; it printed: ${text}`);
        await new Promise((resolve) => {
          setTimeout(resolve, 5);
        });
      }
    },
  };
}

/** @param folder where the shell's own files go; it is the caller's to remove */
export function openTerminal(folder: string, cwd: string, env: NodeJS.ProcessEnv): Terminal {
  const id = randomUUID();
  const file = (name: string): string => path.join(folder, name);
  writeFileSync(file('loop'), loop);
  makeFifo(file('fifo'));
  // In single quotes: the folder is our own, but a quote in TMPDIR would end them.
  if (folder.includes("'")) throw new Error(`a quote in ${folder}`);
  const inner = `exec bash --noprofile --norc '${file('loop')}' '${file('fifo')}'`;
  const child = spawn('script', ['--quiet', '--return', '--flush', '--command', inner, '/dev/null'], {
    cwd,
    env: { ...env, [mark]: id, SHELL: '/bin/sh' },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const exited = once(child, 'close');
  const answers = reader(child);
  // Opened at once, as the folder may go at any moment; for both, so that open(2) waits for nobody.
  const input: WriteStream = createWriteStream('', { fd: openSync(file('fifo'), 'r+') });
  let typed = 0;
  return {
    type: (command) => {
      typed += 1;
      writeFileSync(file(`line-${typed}`), `${command}\n`);
      input.write(`${file(`line-${typed}`)}\n`);
      return answers.answer(command);
    },
    close: async () => {
      input.end();
      // Again and again: what is killed may have just started something.
      await until('what was started from the terminal is gone', () => {
        const left = startedFrom(id);
        for (const pid of left) kill(pid);
        return left.length === 0;
      });
      await exited;
    },
  };
}
