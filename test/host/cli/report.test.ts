import { spawnSync } from 'node:child_process';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, test } from 'vitest';
import { root } from '../../../scripts/lib/tree.ts';
import { heldRun } from '../../../src/runner/report/test-support/held-run.ts';
import { stoppedRun } from '../../../src/runner/report/test-support/other-runs.ts';
import type { RunDocument } from '../../../src/runner/result.ts';
import { cli, tempFolder, tempStateDir, uidIn } from '../../support/cli.ts';
import { experimentFile, runOf } from '../runner/lab.ts';

/*
 * `faultline report` as a user calls it. What the reports look like is tested beside src/runner/report.
 */

const unknown = '11111111-2222-4333-8444-555555555555';

/** A document as `run -o json` prints it, in a file. */
function documentFile(run: RunDocument = heldRun()): string {
  const file = path.join(tempFolder(), 'run.json');
  writeFileSync(file, JSON.stringify(run));
  return file;
}

/** Something that holds and touches nobody. */
function drill(): string {
  const probes = {
    answer: { command: { run: ['true'], every: '100ms', timeout: '60s' }, expect: { success: '100%' } },
  };
  return experimentFile({ probes, method: [{ attack: 'noop hold', name: 'drill' }, { wait: '1s' }] });
}

describe('of a run in the journal', () => {
  test('tells what the run itself has told, by uid or as the latest', async () => {
    const stateDir = tempStateDir();
    const { run: first } = await runOf(drill(), stateDir);
    const { run: second } = await runOf(drill(), stateDir);
    const told = async (...args: readonly string[]): Promise<unknown> => {
      const ran = await cli(['report', ...args, '-o', 'json'], { stateDir });
      expect(ran).toMatchObject({ code: 0, stderr: '' });
      return JSON.parse(ran.stdout);
    };
    expect(first).toMatchObject({ verdict: 'held', injections: [{ name: 'drill', state: 'recovered' }] });
    expect(await told(first.uid)).toEqual(first);
    expect(await told()).toEqual(second);
    expect(await told('latest')).toEqual(second);
  });

  test('in each format, to the standard output or to a file that it names', async () => {
    const stateDir = tempStateDir();
    const { run } = await runOf(drill(), stateDir);
    const folder = tempFolder();
    for (const [format, name, beginning] of [
      ['html', 'report.html', /^<!doctype html>/iu],
      ['md', 'report.md', /^# /u],
      ['junit', 'result.xml', /^<\?xml /u],
      ['json', 'run.json', /^\{\n/u],
    ] as const) {
      const file = path.join(folder, name);
      const [printed, saved] = [
        await cli(['report', '-o', format], { stateDir }),
        await cli(['report', run.uid, '-o', file], { stateDir }),
      ];
      expect(printed).toMatchObject({ code: 0, stderr: '', stdout: expect.stringMatching(beginning) });
      expect(printed.stdout).toContain('tried');
      expect(saved).toMatchObject({ code: 0, stdout: '', stderr: `Written: ${file}\n` });
      expect(readFileSync(file, 'utf8')).toBe(printed.stdout);
    }
    const odd = path.join(folder, 'result.txt');
    expect(await cli(['report', '-o', odd, '-o', 'junit'], { stateDir })).toMatchObject({ code: 0 });
    expect(readFileSync(odd, 'utf8')).toMatch(/^<\?xml /u);
  });

  test('that is not there is told, and so is what else has that uid', async () => {
    const stateDir = tempStateDir();
    const none = await cli(['report', '-o', 'md'], { stateDir });
    expect(none).toMatchObject({ code: 1, stdout: '', stderr: expect.stringContaining('[RUN_NOT_FOUND]') });
    const { run } = await runOf(drill(), stateDir);
    const missing = await cli(['report', unknown, '-o', 'md'], { stateDir });
    expect(missing).toMatchObject({ code: 1, stdout: '', stderr: expect.stringContaining(`no run ${unknown} [`) });

    const injection = uidIn((await cli(['attack', 'noop', 'hold', '--duration', '10ms'], { stateDir })).stdout);
    const mistaken = await cli(['report', injection, '-o', 'md'], { stateDir });
    expect(mistaken).toMatchObject({ code: 1, stdout: '' });
    expect(mistaken.stderr).toContain(`no run ${injection}: it is an injection [RUN_NOT_FOUND]`);
    expect(mistaken.stderr).toContain(`faultline show ${injection}`);
    for (const command of ['show', 'recover']) {
      const ran = await cli([command, run.uid], { stateDir });
      expect(ran).toMatchObject({ code: 1, stdout: '' });
      expect(ran.stderr).toContain(`no injection ${run.uid}: it is a run [INJECTION_NOT_FOUND]`);
      expect(ran.stderr).toContain(`faultline report ${run.uid}`);
    }
  });

  test('is not of the service that the environment names: that is refused, but for a file', async () => {
    const env = { FAULTLINE_SERVER: 'http://127.0.0.1:1' };
    const stateDir = tempStateDir();
    const refused = await cli(['report', '-o', 'md'], { stateDir, env });
    expect(refused).toMatchObject({ code: 128, stdout: '' });
    expect(refused.stderr).toContain('FAULTLINE_SERVER names a service, but faultline report acts on this host only');
    expect(await cli(['report', '--from', documentFile(), '-o', 'md'], { stateDir, env })).toMatchObject({ code: 0 });
  });
});

describe('of what run -o json has printed', () => {
  test('is made from a file or from the standard input', async () => {
    const run = stoppedRun();
    const fromFile = await cli(['report', '--from', documentFile(run), '-o', 'md']);
    expect(fromFile).toMatchObject({ code: 0, stderr: '', stdout: expect.stringContaining(run.experiment.name) });
    const script = path.join(root, 'dist/faultline.js');
    const fromInput = spawnSync(process.execPath, [script, 'report', '--from', '-', '-o', 'md'], {
      input: JSON.stringify(run),
      encoding: 'utf8',
    });
    expect(fromInput).toMatchObject({ status: 0, stdout: fromFile.stdout, stderr: '' });
  });

  test('is refused when it is no such document', async () => {
    const { journal: _left, ...part } = heldRun();
    for (const text of ['', 'no JSON', '[]', '{}', JSON.stringify(part)]) {
      const file = path.join(tempFolder(), 'run.json');
      writeFileSync(file, text);
      const ran = await cli(['report', '--from', file, '-o', 'md']);
      expect(ran).toMatchObject({ code: 128, stdout: '', stderr: expect.stringContaining('[ARGUMENT_INVALID]') });
      expect(ran.stderr).toContain(file);
    }
    expect(await cli(['report', '--from', '/nowhere/run.json', '-o', 'md'])).toMatchObject({ code: 128, stdout: '' });
  });
});

describe('where it goes', () => {
  test('a file that is there is written anew', async () => {
    const file = path.join(tempFolder(), 'report.md');
    writeFileSync(file, 'an old one'.repeat(100_000));
    const printed = await cli(['report', '--from', documentFile(), '-o', 'md']);
    expect(await cli(['report', '--from', documentFile(), '-o', file])).toMatchObject({ code: 0 });
    expect(readFileSync(file, 'utf8')).toBe(printed.stdout);
  });

  test('what cannot be written is told', async () => {
    const folder = path.join(tempFolder(), 'folder.html');
    mkdirSync(folder);
    for (const file of ['/proc/none/report.html', folder]) {
      const ran = await cli(['report', '--from', documentFile(), '-o', file]);
      expect(ran).toMatchObject({ code: 128, stdout: '' });
      expect(ran.stderr).toContain(`"${file}" cannot be written [ARGUMENT_INVALID]`);
    }
  });

  test.each<readonly [string, readonly string[]]>([
    ['two formats', ['-o', 'md', '-o', 'html']],
    ['two files', ['-o', 'a.md', '-o', 'b.md']],
    ['a file that tells no format', ['-o', 'report.pdf']],
    ['no format', ['-o', 'pdf']],
    ['a uid and a file', [unknown, '-o', 'md']],
    ['two runs', [unknown, unknown, '-o', 'md']],
  ])('%s: a mistake', async (_what, args) => {
    const ran = await cli(['report', '--from', documentFile(), ...args]);
    expect(ran).toMatchObject({ code: 128, stdout: '', stderr: expect.stringContaining('[ARGUMENT_INVALID]') });
  });
});
