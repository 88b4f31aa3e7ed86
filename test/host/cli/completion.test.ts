import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, test } from 'vitest';
import { shells } from '../../../src/cli/completion/shell.ts';
import { installed } from '../../../src/cli/test-support/installed.ts';
import { cli, tempFolder, tempStateDir } from '../../support/cli.ts';
import { type EditingShell, openLineEditor } from '../../support/line-editor.ts';
import { experimentFile, runOf } from '../runner/lab.ts';
import { sleeper } from '../targets/processes.ts';

const dist = path.resolve(import.meta.dirname, '../../../dist');
const kill = 'faultline attack process kill';

/** Names that mean something to one shell or another; each begins differently. */
const wickedNames = [
  'w1 my proc',
  "w2 it's",
  'w3"q"',
  'w4$(touch x)',
  'w5`touch x`',
  'w6\\b;s|&<>',
  'w7:col=a',
  'w8!bang~#',
  'w9{a,b}*?',
  'wa é',
  'wb$HOME',
  'wc[1]^%',
  "wd dogs'",
  'we stop!',
] as const;

/** Names that nobody could see for what they are. */
const hiddenNames = ['h1\nnewline', 'h2\u001b[31mred', 'h3\u202eright', 'h4\ttab', 'h5\u0007bell'] as const;

/** A folder with both commands in it, as an installation has; it is the shells' current folder too. */
function installation(): { readonly folder: string; readonly env: NodeJS.ProcessEnv } {
  const folder = tempFolder();
  const bin = path.join(folder, 'bin');
  mkdirSync(bin);
  for (const name of ['faultline', 'chaosd']) symlinkSync(path.join(dist, `${name}.js`), path.join(bin, name));
  const { HOME: _home, FAULTLINE_POLICY: _policy, ...rest } = process.env;
  const env = {
    ...rest,
    PATH: `${bin}:${path.dirname(process.execPath)}:${process.env['PATH'] ?? ''}`,
    HOME: folder,
    LC_ALL: 'C.UTF-8',
    NODE_OPTIONS: '',
    FAULTLINE_STATE_DIR: path.join(folder, 'state'),
  };
  return { folder, env };
}

/** What a shell makes of a line whose command is replaced by one that tells its arguments. */
function argumentsOf(shell: EditingShell, line: string, cwd: string): readonly string[] {
  const script = line.replace('faultline', "printf '%s\\0'");
  const options = { encoding: 'utf8', cwd, env: { PATH: process.env['PATH'], LC_ALL: 'C.UTF-8' } } as const;
  const quietly = { bash: '--norc', zsh: '-f' }[shell];
  return execFileSync(shell, [quietly, '-c', script], options).split('\0').slice(0, -1);
}

function startAll(names: readonly string[]) {
  return Promise.all(names.map((name) => sleeper(name)));
}

const hasEditor = (shell: EditingShell): boolean => installed('script') && installed(shell);

describe.each<EditingShell>(['bash', 'zsh'])('%s, on a terminal', (shell) => {
  test.skipIf(!hasEditor(shell))('completes commands, flags and values', async () => {
    const { folder, env } = installation();
    for (const name of ['kill.yaml', 'old-report.html']) writeFileSync(path.join(folder, name), '');
    const editor = await openLineEditor(shell, folder, [`source <(faultline completion ${shell})`], env);
    for (const [typed, line] of [
      ['faultline att', 'faultline attack '],
      ['faultline attack pro', 'faultline attack process '],
      [`${kill} --sig`, `${kill} --signal `],
      [`${kill} --signal TE`, `${kill} --signal TERM `],
      [`${kill} --signal=SIGTE`, `${kill} --signal=SIGTERM `],
      [`${kill} -sSIGTE`, `${kill} -sSIGTERM `],
      [`${kill} --mode fixed-`, `${kill} --mode fixed-percent `],
      ['faultline search --status des', 'faultline search --status destroyed '],
      ['faultline completion z', 'faultline completion zsh '],
      ['faultline help attack process st', 'faultline help attack process stop '],
      ['faultline --state-dir bi', 'faultline --state-dir bin/'],
      ['faultline run ki', 'faultline run kill.yaml '],
      ['faultline run kill.yaml --ju', 'faultline run kill.yaml --junit '],
      ['faultline run kill.yaml --report ol', 'faultline run kill.yaml --report old-report.html '],
      ['faultline report -o ju', 'faultline report -o junit '],
      ['faultline report -o ol', 'faultline report -o old-report.html '],
      ['faultline report --from ki', 'faultline report --from kill.yaml '],
      ['faultline nothing', 'faultline nothing'],
      ['faultline attack process kill -p no-such-', 'faultline attack process kill -p no-such-'],
    ] as const) {
      expect(await editor.lineAfter(`${typed}\t`)).toBe(line);
    }
  });

  test.skipIf(!hasEditor(shell))('what stands in the line is a name, whatever it looks like', async () => {
    const { folder, env } = installation();
    await startAll([...wickedNames, ...hiddenNames]);
    const editor = await openLineEditor(shell, folder, [`source <(faultline completion ${shell})`], env);
    for (const name of wickedNames) {
      for (const quote of ['', "'", '"']) {
        // zsh writes \!, which it takes for an exclamation mark only where there is a history, thus not with -c.
        if (shell === 'zsh' && quote === '"' && name.includes('!')) continue;
        const line = await editor.lineAfter(`${kill} -p ${quote}${name.slice(0, 2)}\t`);
        expect([quote, ...argumentsOf(shell, line, folder)]).toEqual([quote, 'attack', 'process', 'kill', '-p', name]);
      }
    }
    for (const name of hiddenNames) {
      const typed = `${kill} -p ${name.slice(0, 2)}`;
      expect(await editor.lineAfter(`${typed}\t`)).toBe(typed);
    }
    expect(existsSync(path.join(folder, 'x'))).toBe(false);
  });

  test.skipIf(!hasEditor(shell))('completes UIDs, chaosd too', async () => {
    const { folder, env } = installation();
    const options = { stateDir: path.join(folder, 'state') };
    await cli(['attack', 'noop', 'hold', '--uid', 'drill:one-1'], options);
    const setup = [`source <(faultline completion ${shell})`, `source <(chaosd completion ${shell})`];
    const editor = await openLineEditor(shell, folder, setup, env);
    for (const program of ['faultline', 'chaosd']) {
      expect(await editor.lineAfter(`${program} recover dr\t`)).toBe(`${program} recover drill:one-1 `);
      expect(await editor.lineAfter(`${program} show drill:o\t`)).toBe(`${program} show drill:one-1 `);
    }
    await cli(['recover', '--all'], options);
  });
});

describe('fish', () => {
  /** What fish offers for a line, as it would insert it. */
  function offered(line: string, { folder, env }: ReturnType<typeof installation>): readonly string[] {
    const script = 'faultline completion fish | source; complete --escape -C "$argv[1]"';
    const options = {
      encoding: 'utf8',
      cwd: folder,
      env: { ...env, XDG_CONFIG_HOME: folder, XDG_DATA_HOME: folder },
    } as const;
    const text = execFileSync('fish', ['--no-config', '-c', script, line], options);
    return text.split('\n').slice(0, -1);
  }

  test.skipIf(!installed('fish'))('completes commands, flags and values, with descriptions', () => {
    const place = installation();
    expect(offered('faultline att', place)).toEqual(['attack\tinject a fault']);
    expect(offered(`${kill} -s `, place)).toContain('SIGTERM\t15');
    expect(offered(`${kill} --signal=SIGTE`, place)).toEqual(['--signal=SIGTERM\t15']);
    expect(offered(`${kill} --mode fixed-`, place)).toEqual(['fixed-percent']);
    expect(offered(`${kill} --max-t`, place)).toEqual(['--max-targets\tRefuse to touch more targets than this']);
    expect(offered('faultline completion ', place).map((line) => line.split('\t')[0])).toEqual(['bash', 'zsh', 'fish']);
    expect(offered('faultline --state-dir bi', place)).toEqual([expect.stringMatching(/^bin\//)]);
    expect(offered(`${kill} -p no-such-`, place)).toEqual([]);
  });

  test.skipIf(!installed('fish'))('what stands in the line is a name, whatever it looks like', async () => {
    const place = installation();
    await startAll([...wickedNames, ...hiddenNames]);
    for (const name of wickedNames) {
      const [line = '', ...others] = offered(`${kill} -p ${name.slice(0, 2)}`, place);
      expect(others).toEqual([]);
      const script = `printf '%s\\0' ${line.split('\t')[0] ?? ''}`;
      const options = { encoding: 'utf8', cwd: place.folder, env: place.env } as const;
      expect(execFileSync('fish', ['--no-config', '-c', script], options)).toBe(`${name}\0`);
    }
    // fish looks into descriptions, too, and finds the PIDs, beside which the name is shown for what it is.
    for (const name of hiddenNames) {
      const typed = name.slice(0, 2);
      for (const line of offered(`${kill} -p ${typed}`, place)) {
        // It also looks into the middle of names, those of strangers, too.
        if (!/^\d/u.test(line)) expect(line.slice(1)).toContain(typed);
        expect(line).toMatch(/^[ -~]+\t[ -~]+$/);
      }
    }
    expect(existsSync(path.join(place.folder, 'x'))).toBe(false);
  });
});

describe('UIDs', () => {
  const ask = (words: readonly string[], stateDir: string) =>
    cli(['__complete', '--shell', 'zsh', '--', ...words], { stateDir });

  async function uidsAt(words: readonly string[], stateDir: string): Promise<readonly string[]> {
    const { code, stdout, stderr } = await ask(words, stateDir);
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    return stdout
      .split('\n')
      .slice(1, -1)
      .map((line) => line.split('\t')[0] ?? '');
  }

  test('the newest first; to recover only what is live and not named yet', async () => {
    const stateDir = tempStateDir();
    for (const uid of ['first', 'second', 'third']) {
      await cli(['attack', 'noop', 'hold', '--uid', uid, '--allow-overlap'], { stateDir });
    }
    await cli(['recover', 'second'], { stateDir });
    expect(await uidsAt(['show', ''], stateDir)).toEqual(['third', 'second', 'first']);
    expect(await uidsAt(['search', ''], stateDir)).toEqual(['third', 'second', 'first']);
    expect(await uidsAt(['recover', ''], stateDir)).toEqual(['third', 'first']);
    expect(await uidsAt(['recover', 'third', ''], stateDir)).toEqual(['first']);
    expect(await uidsAt(['show', 'third', ''], stateDir)).toEqual([]);
    expect((await ask(['show', ''], stateDir)).stdout).toMatch(/^second\tnoop hold, recovered, \d{4}-[-\dT:]+Z$/m);
    await cli(['recover', '--all'], { stateDir });
  });

  test('of runs of experiments', async () => {
    const stateDir = tempStateDir();
    expect(await uidsAt(['report', ''], stateDir)).toEqual([]);
    expect(existsSync(stateDir)).toBe(false);
    const probes = {
      answer: { command: { run: ['true'], every: '100ms', timeout: '60s' }, expect: { success: '100%' } },
    };
    const { run } = await runOf(experimentFile({ probes, method: [{ wait: '1s' }] }), stateDir);
    expect(await uidsAt(['report', ''], stateDir)).toEqual(['latest', run.uid]);
    const told = new RegExp(`\\ttried, ${run.verdict}, \\d{4}-[-\\dT:]+Z$`, 'm');
    expect((await ask(['report', ''], stateDir)).stdout).toMatch(told);
  });

  test('of the journal that the line names', async () => {
    const [here, there] = [tempStateDir(), tempStateDir()];
    await cli(['attack', 'noop', 'hold', '--uid', 'over-there'], { stateDir: there });
    expect(await uidsAt(['show', ''], here)).toEqual([]);
    expect(await uidsAt(['--state-dir', there, 'show', ''], here)).toEqual(['over-there']);
    expect(await uidsAt(['show', `--state-dir=${there}`, ''], here)).toEqual(['over-there']);
    await cli(['recover', '--all'], { stateDir: there });
  });

  test('none, and no journal made, where there is none', async () => {
    const stateDir = tempStateDir();
    expect(await uidsAt(['recover', ''], stateDir)).toEqual([]);
    expect(existsSync(stateDir)).toBe(false);
    mkdirSync(stateDir, { mode: 0o700 });
    expect(await uidsAt(['recover', ''], stateDir)).toEqual([]);
    expect(existsSync(path.join(stateDir, 'faultline.db'))).toBe(false);
  });

  test('none, and not a word, where the journal cannot be read', async () => {
    const stateDir = tempStateDir();
    mkdirSync(stateDir, { mode: 0o700 });
    const file = path.join(stateDir, 'faultline.db');
    writeFileSync(file, 'no database at all', { mode: 0o600 });
    expect(await ask(['recover', ''], stateDir)).toMatchObject({ code: 0, stdout: '', stderr: '' });
    expect(readFileSync(file, 'utf8')).toBe('no database at all');
  });
});

describe('the scripts', () => {
  test.each(shells.filter(installed))('%s: the shell finds nothing wrong with it', async (shell) => {
    const folder = tempFolder();
    for (const program of ['faultline', 'chaosd'] as const) {
      const { code, stdout, stderr } = await cli(['completion', shell], { program });
      expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
      const file = path.join(folder, program);
      writeFileSync(file, stdout);
      execFileSync(shell, ['-n', file]);
    }
  });

  test('without a shell there is help, with an unknown one an error', async () => {
    const bare = await cli(['completion']);
    expect(bare).toMatchObject({ code: 0, stderr: '' });
    expect(bare.stdout).toMatch(/bash[^]*zsh[^]*fish/);
    expect(await cli(['completion', 'tcsh'])).toMatchObject({ code: 128, stdout: '' });
  });

  test('whatever is asked, there is an answer and no error', async () => {
    const lines = [
      [],
      [''],
      ['--'],
      ['--', '--'],
      ['-'],
      ['\u0000'.slice(1), 'attack', '-'],
      ['attack', 'process', 'kill', '-p'],
    ];
    // By shells in turn: what is answered does not depend on them, only how it is written.
    const askers = [...shells, 'tcsh'];
    for (const [index, words] of lines.entries()) {
      const ran = await cli(['__complete', '--shell', askers[index % askers.length] ?? '', '--', ...words]);
      expect(ran, words.join(' ')).toMatchObject({ code: 0, stderr: '' });
    }
  });
});
