import { spawnSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { expect, test } from 'vitest';
import { systemdUnit, type UnitOptions } from '../../../src/server/systemd-unit.ts';
import { tempFolder } from '../../support/cli.ts';

const hasAnalyze = spawnSync('systemd-analyze', ['--version']).status === 0;

/** What systemd itself finds wrong with a unit; it reads units that are in no use. */
function faultsOf(options: Omit<UnitOptions, 'command' | 'network'>): {
  readonly code: number | null;
  readonly said: string;
} {
  const file = path.join(tempFolder(), 'faultline-under-test.service');
  const command = [process.execPath, '/opt/a b/100%$x.js', 'server', '--host', '::', ';', 'quote " and \\'];
  writeFileSync(file, systemdUnit({ command, network: true, ...options }));
  const { status, stderr, stdout } = spawnSync('systemd-analyze', ['verify', '--man=no', file], { encoding: 'utf8' });
  // It also looks at the units that this one is ordered by, which are none of ours.
  const said = `${stdout}${stderr}`.split('\n').filter((line) => line.includes('faultline-under-test'));
  return { code: status, said: said.join('\n') };
}

test.skipIf(!hasAnalyze)('systemd understands every line', () => {
  expect(faultsOf({ stateDir: undefined })).toEqual({ code: 0, said: '' });
  const files = { tokenFile: '/etc/fault line/50%', readTokenFile: '/etc/r', keyFile: '/etc/k', certFile: '/etc/c' };
  expect(faultsOf({ stateDir: '/srv/a b', ...files })).toEqual({ code: 0, said: '' });
});

test.skipIf(!hasAnalyze)('it would tell of a line that it does not understand', () => {
  const file = path.join(tempFolder(), 'faultline-under-test.service');
  writeFileSync(
    file,
    `${systemdUnit({ command: ['/bin/true'], stateDir: undefined, network: false })}NoSuchSetting=1\n`,
  );
  const { stderr } = spawnSync('systemd-analyze', ['verify', '--man=no', file], { encoding: 'utf8' });
  expect(stderr).toContain('NoSuchSetting');
});
