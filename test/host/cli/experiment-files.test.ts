import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, test } from 'vitest';
import { changed, goodFile } from '../../../src/runner/file/test-support/problems-of.ts';
import { cli, type Ran, tempFolder, tempStateDir } from '../../support/cli.ts';
import { sleeper } from '../targets/processes.ts';

/*
 * Experiments before they are run: written by `init`, read by `validate`, and held against this host by `plan`.
 */

function written(text: string, name = 'experiment.yaml'): string {
  const file = path.join(tempFolder(), name);
  writeFileSync(file, text);
  return file;
}

/** The good file with its process called otherwise. */
const against = (name: string, text = goodFile): string => text.replaceAll('process: api', `process: ${name}`);

const outcome = ({ code, stdout, stderr }: Ran) => ({ code, stdout, stderr });

describe('init', () => {
  test('prints an example, and writes one that is valid', async () => {
    const file = path.join(tempFolder(), 'first.yaml');
    const printed = await cli(['init']);
    const ran = await cli(['init', file]);
    expect(outcome(ran)).toEqual({
      code: 0,
      stdout: '',
      stderr: `${file} is written; change it, then: faultline validate ${file}\n`,
    });
    expect(readFileSync(file, 'utf8')).toBe(printed.stdout);
    expect(outcome(await cli(['validate', file]))).toEqual({
      code: 0,
      stdout: `${file}: valid: kill-one-of-two, 2 probes, 4 steps\n`,
      stderr: '',
    });
  });

  test('overwrites only what it is told to', async () => {
    const file = written('mine');
    const ran = await cli(['init', file]);
    expect(ran).toMatchObject({ code: 128, stderr: expect.stringContaining('is there already [ARGUMENT_INVALID]') });
    expect(readFileSync(file, 'utf8')).toBe('mine');
    expect(await cli(['init', file, '--force'])).toMatchObject({ code: 0 });
    expect(readFileSync(file, 'utf8')).toContain('experiment: kill-one-of-two');
    expect(await cli(['init', path.join(file, 'below')])).toMatchObject({ code: 128 });
  });
});

describe('validate', () => {
  test('tells of each file, and of all that is wrong in it', async () => {
    const good = written(goodFile);
    const bad = written(changed('99%', '99').replace('mode: one', 'mdoe: one'));
    const ran = await cli(['validate', good, bad]);
    expect(outcome(ran)).toEqual({
      code: 3,
      stdout: `${good}: valid: kill-one, 2 probes, 2 steps\n`,
      stderr: [
        `Error: ${bad}:7:37: atLeast must be a share in percent, not 99 [EXPERIMENT_INVALID]`,
        'Hint: write it with its sign, such as 99.9%',
        `${bad}:14:27: process kill has no option "mdoe"; did you mean mode?`,
        '',
      ].join('\n'),
    });
  });

  test('tells programs the same', async () => {
    const files = [written(goodFile), written(changed('99%', '99')), '/nowhere'];
    const ran = await cli(['validate', ...files, '-o', 'json']);
    expect(ran).toMatchObject({ code: 3, stderr: '' });
    const problem = 'atLeast must be a share in percent, not 99';
    expect(JSON.parse(ran.stdout)).toEqual([
      { file: files[0], valid: true, name: 'kill-one', problems: [] },
      {
        file: files[1],
        valid: false,
        name: null,
        problems: [{ line: 7, column: 37, problem, hint: 'write it with its sign, such as 99.9%' }],
      },
      { file: '/nowhere', valid: false, name: null, problems: [{ problem: '/nowhere cannot be read' }] },
    ]);
  });

  test('reads whatever a file holds', async () => {
    for (const file of [written('\u0000\u0001\u001b[31m'), '/proc/self/exe', '/', written('x'.repeat(1024 * 1024))]) {
      const ran = await cli(['validate', file]);
      expect(ran).toMatchObject({ code: 3, stdout: '' });
      expect(ran.stderr).toMatch(/^Error: .+ \[EXPERIMENT_INVALID\]\nHint: .+\n$/u);
    }
  });
});

describe('plan', () => {
  test('shows whom the attacks would hit, and touches nothing', async () => {
    const targets = await Promise.all([sleeper('fl-plan-a'), sleeper('fl-plan-a')]);
    const stateDir = tempStateDir();
    const file = written(against('fl-plan-a'));
    const ran = await cli(['plan', file], { stateDir });
    expect(ran).toMatchObject({ code: 0, stderr: '' });
    const hit = /^ {4}SIGKILL → pid (\d+) \(fl-plan-a\)/mu.exec(ran.stdout);
    expect(targets.map(({ pid }) => String(pid))).toContain(hit?.[1]);
    expect(ran.stdout).toContain('Blast radius: 1 target, 50% of what is found; allowed: 1 target, 1m');
    expect(ran.stdout).toContain(
      '  answers: http: GET http://127.0.0.1:8080/, 100 a second\n    success at least 99%\n',
    );
    expect(existsSync(stateDir)).toBe(false);
    for (const { pid } of targets) expect(existsSync(`/proc/${pid}`)).toBe(true);
  });

  test('tells the same as a document', async () => {
    const { pid } = await sleeper('fl-plan-b');
    const ran = await cli(['plan', written(against('fl-plan-b')), '-o', 'json'], { stateDir: tempStateDir() });
    expect(ran).toMatchObject({ code: 0, stderr: '' });
    expect(JSON.parse(ran.stdout)).toMatchObject({
      dryRun: true,
      experiment: { name: 'kill-one', blastRadius: { targets: 1, durationMs: 60_000 } },
      attacks: [
        {
          path: 'method[0]',
          name: 'kill one',
          plan: { matched: 1, targets: [{ label: expect.stringContaining(`pid ${pid} `) }] },
          refusal: null,
        },
      ],
      blastRadius: { targets: 1, percent: 100 },
    });
  });

  test.each<readonly [string, string, RegExp]>([
    ['more targets than allowed', changed('mode: one', 'mode: all'), /:12:13: kill one: .*allows 1 target, not 2/u],
    [
      'a larger share than allowed',
      changed('targets: 1', 'targets: 9, percent: 50%').replace('mode: one', 'mode: all'),
      /:12:13: kill one: .*allows 50 ?% of the 2 matched, not 2/u,
    ],
    [
      'more targets than the attacks before leave',
      changed('- wait: 5s', '- attack: process stop\n    with: { process: api, mode: all }').replace(
        'targets: 1',
        'targets: 2',
      ),
      /:15:13: process stop: .*allows 2 targets, not 2 after the 1 before/u,
    ],
    [
      'another process than allowed',
      changed('{ process: api, mode: one }', "{ cmdline: '/fl-plan-c ', mode: one }").replace(
        'duration: 60s',
        'duration: 60s, processes: [nginx]',
      ),
      /:12:13: kill one: .*only processes named nginx/u,
    ],
    ['a process that is not there', changed('process: api, mode', 'process: fl-plan-x, mode'), /:12:13: .*fl-plan-x/u],
    [
      'the process that is everybody’s parent',
      changed('process: api, mode', 'process: "1", mode'),
      /:12:13: kill one: /u,
    ],
  ])('refuses %s, at its place in the file', async (_what, text, message) => {
    await Promise.all([sleeper('fl-plan-c'), sleeper('fl-plan-c')]);
    const ran = await cli(['plan', written(against('fl-plan-c', text))], { stateDir: tempStateDir() });
    expect(ran.code).toBe(3);
    expect(ran.stderr).toMatch(message);
    expect(ran.stderr).toContain('[EXPERIMENT_INVALID]');
    expect(ran.stdout).toMatch(/refused: .*\n[^]*Nothing was touched\.\n$/u);
  });

  test('does not plan what is not valid', async () => {
    const ran = await cli(['plan', written(changed('99%', '99'))], { stateDir: tempStateDir() });
    expect(ran).toMatchObject({ code: 3, stdout: '' });
  });
});

describe('where the environment names a service', () => {
  const env = { FAULTLINE_SERVER: 'http://127.0.0.1:1' };

  test.each<readonly [name: string, args: readonly string[], code: number]>([
    ['run', ['run', 'FILE'], 3],
    ['plan', ['run', 'FILE', '--dry-run'], 128],
    ['plan', ['plan', 'FILE'], 128],
    ['runs', ['runs'], 128],
  ])('%s, which acts on this host, does nothing: %j', async (name, args, code) => {
    const stateDir = tempStateDir();
    const file = written(goodFile);
    const ran = await cli(
      args.map((arg) => (arg === 'FILE' ? file : arg)),
      { stateDir, env },
    );
    expect(ran).toMatchObject({ code, stdout: '' });
    expect(ran.stderr).toContain(`FAULTLINE_SERVER names a service, but faultline ${name} acts on this host only [`);
    expect(ran.stderr).toMatch(/^Hint: .+ FAULTLINE_SERVER= faultline /mu);
    expect(existsSync(stateDir)).toBe(false);
  });

  test('what only looks at files works as ever, and so does all with an empty name', async () => {
    const file = written(goodFile);
    expect(await cli(['validate', file], { env })).toMatchObject({ code: 0 });
    expect(await cli(['init'], { env })).toMatchObject({ code: 0 });
    const stateDir = tempStateDir();
    expect(await cli(['runs', '-o', 'json'], { stateDir, env: { FAULTLINE_SERVER: '' } })).toMatchObject({
      code: 0,
      stdout: '[]\n',
      stderr: '',
    });
  });
});
