import { CommanderError } from 'commander';
import { describe, expect, test, vi } from 'vitest';
import { buildProgram } from '../program.ts';

const said: string[] = [];

vi.mock(import('../output/style.ts'), async (original) => ({
  ...(await original()),
  write: (_output, text) => void said.push(text),
}));

/** What a command prints, to the last byte. */
async function printed(...args: readonly string[]): Promise<string> {
  said.length = 0;
  try {
    await buildProgram('chaosd').parseAsync([...args], { from: 'user' });
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error;
  }
  return said.join('');
}

/*
 * The three texts are chaosd's own, from its page "Simulate Process Faults". They are written out here by hand, and
 * must
 * stay as they are whatever becomes of the commands.
 */

const attackProcess = `Process attack related commands

Usage:
  chaosd attack process [command]

Available Commands:
  kill        kill process, default signal 9
  stop        stop process, this action will stop the process with SIGSTOP

Flags:
  -h, --help   help for process

Global Flags:
      --log-level string   the log level of chaosd, the value can be 'debug', 'info', 'warn' and 'error'

Use "chaosd attack process [command] --help" for more information about a command.
`;

const attackProcessKill = `kill process, default signal 9

Usage:
  chaosd attack process kill [flags]

Flags:
  -h, --help             help for kill
  -p, --process string   The process name or the process ID
  -s, --signal int       The signal number to send (default 9)

Global Flags:
      --log-level string   the log level of chaosd, the value can be 'debug', 'info', 'warn' and 'error'
`;

const attackProcessStop = `stop process, this action will stop the process with SIGSTOP

Usage:
  chaosd attack process stop [flags]

Flags:
  -h, --help             help for stop
  -p, --process string   The process name or the process ID

Global Flags:
      --log-level string   the log level of chaosd, the value can be 'debug', 'info', 'warn' and 'error'
`;

describe("what chaosd's page shows comes out byte for byte", () => {
  test.each(['-h', '--help'])('with %s', async (flag) => {
    expect(await printed('attack', 'process', flag)).toBe(attackProcess);
    expect(await printed('attack', 'process', 'kill', flag)).toBe(attackProcessKill);
    expect(await printed('attack', 'process', 'stop', flag)).toBe(attackProcessStop);
  });

  test('with help', async () => {
    expect(await printed('help', 'attack', 'process')).toBe(attackProcess);
    expect(await printed('help', 'attack', 'process', 'kill')).toBe(attackProcessKill);
    expect(await printed('help', 'attack', 'process', 'stop')).toBe(attackProcessStop);
  });

  test('and so does the help of a command that is not whole', async () => {
    expect(await printed('attack', 'process')).toBe(attackProcess);
  });
});

describe('the same layout for what the page does not show', () => {
  test('a list of commands, in the order of the alphabet', async () => {
    expect(await printed('help', 'attack')).toBe(`Inject a fault: attack KIND ACTION

Usage:
  chaosd attack [command]

Available Commands:
  io          Disturb what processes do with the files of a folder
  kernel      Make calls within the kernel fail
  noop        Drill: goes through the whole life of an injection and touches nothing
  process     Process attack related commands

Flags:
  -h, --help   help for attack

Global Flags:
      --log-level string   the log level of chaosd, the value can be 'debug', 'info', 'warn' and 'error'

Use "chaosd attack [command] --help" for more information about a command.
`);
  });

  test('arguments, examples, and types and defaults of flags', async () => {
    const search = await printed('search', '-h');
    expect(search).toContain('\nUsage:\n  chaosd search [UID] [flags]\n\nExamples:\n  # list all\n  chaosd search\n');
    expect(search).toMatch(/^ {2}-l, --limit int {7}\S/m);
    expect(search).toMatch(/^ {2}-s, --status string {3}\S/m);
    expect(search).toMatch(/^ {6}--asc {13}\S/m);
    expect(await printed('audit', '-h')).toMatch(/--limit int .* \(default 50\)$/m);
    expect(await printed('attack', 'noop', 'hold', '-h')).toMatch(/^ {6}--duration duration {3}\S/m);
  });

  test.each(['recover', 'halt', 'search', 'show', 'audit', 'doctor'])(
    'the way to a service is not listed: %s',
    async (name) => {
      expect(await printed(name, '-h')).not.toMatch(/--(?:server|token-file|server-ca|client-)/);
    },
  );

  test('of commands that chaosd has not, all flags', async () => {
    expect(await printed('apply', '-h')).toMatch(/^ {2}-f, --filename string +\S/m);
    expect(await printed('attack', 'io', 'latency', '-h')).toMatch(/^ {6}--volume string +\S/m);
  });

  test('all flags of the program are on its own page', async () => {
    const page = await printed('-h');
    expect(page).toMatch(/^A command line client to run chaos experiments/);
    expect(page).toContain('\n  -h, --help               help for chaosd\n      --log-level string   ');
    expect(page).toContain('\n      --state-dir string   ');
    expect(page).not.toMatch(/__complete|keeper/);
    expect(await printed()).toBe(page);
    expect(await printed('help')).toBe(page);
  });
});

test('help for what is not there says what is', async () => {
  await expect(printed('help', 'attack', 'nothing')).rejects.toMatchObject({
    code: 'COMMAND_UNKNOWN',
    message: 'chaosd attack has no command "nothing"',
    hint: 'there is: process, io, kernel, noop',
  });
});
