import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, test } from 'vitest';
import { installed } from '../../../src/cli/test-support/installed.ts';
import { distFolder, tempFolder, tempStateDir } from '../../support/cli.ts';
import { readRuns } from '../../support/journal.ts';
import { sleeper, start, stateOf, until } from '../targets/processes.ts';
import { answers, expectNothingLeft, experimentFile, webServer } from './lab.ts';

/** The exit code of who was ended by SIGHUP, as a shell has it. SIGABRT, with a core dump, would be 134. */
const hungUp = 129;

/** It is no child of the test's. */
function killRunner(stateDir: string): void {
  for (const { record } of readRuns(stateDir)) {
    if (record.verdict === null) process.kill(Number(record.owner['pid']), 'SIGKILL');
  }
}

describe.skipIf(!installed('script'))('a run whose terminal is closed', { timeout: 120_000 }, () => {
  test('undoes, rolls back and writes down its end; it ends by the signal, and does not abort', async () => {
    const [stateDir, folder] = [tempStateDir(), tempFolder()];
    const [code, rolledBack, wrapper] = ['code', 'rolled-back', 'wrapper'].map((name) => path.join(folder, name));
    const target = await sleeper('fl-run-hup');
    const file = experimentFile({
      probes: { answers: answers(await webServer()) },
      method: [{ attack: 'process stop', name: 'stop it', with: { process: String(target.pid) } }, { wait: '9m' }],
      rollbacks: [{ run: ['touch', rolledBack ?? ''] }],
    });
    // The shell gets the signal and hands it on, as one with job control does; it survives to tell how that went.
    const program = `'${process.execPath}' '${path.join(distFolder, 'faultline.js')}' run '${file}'`;
    const lines = [
      `${program} &`,
      `trap 'kill -HUP $!' HUP`,
      'wait $!', // broken off by the signal
      'wait $!',
      `echo $? > '${code}.new'; mv '${code}.new' '${code}'`,
    ];
    writeFileSync(wrapper ?? '', lines.join('\n'));
    const terminal = await start('script', ['--quiet', '--command', `exec sh '${wrapper}'`, '/dev/null'], {
      env: { ...process.env, FAULTLINE_STATE_DIR: stateDir, SHELL: '/bin/sh' },
    });
    try {
      await until('it is stopped', () => stateOf(target.pid) === 'T');
      process.kill(terminal.pid, 'SIGKILL');
      await until('it has ended', () => existsSync(code ?? ''));
    } finally {
      if (!existsSync(code ?? '')) killRunner(stateDir);
    }
    expect(Number(readFileSync(code ?? '', 'utf8'))).toBe(hungUp);
    expect(stateOf(target.pid)).toBe('S');
    expect(existsSync(rolledBack ?? '')).toBe(true);
    expect(readRuns(stateDir)).toMatchObject([{ record: { verdict: 'aborted', reason: 'interrupted by the user' } }]);
    expectNothingLeft(stateDir);
  });
});
