import { expect, test } from 'vitest';
import { systemdUnit, type UnitOptions } from './systemd-unit.ts';

function unit(given: Partial<UnitOptions>): readonly string[] {
  const command = ['/usr/bin/node', '/usr/lib/faultline/dist/faultline.js', 'server'];
  return systemdUnit({ command, stateDir: undefined, network: false, ...given }).split('\n');
}

const setting = (lines: readonly string[], name: string): readonly string[] =>
  lines.filter((line) => line.startsWith(`${name}=`)).map((line) => line.slice(name.length + 1));

const started = (...args: readonly string[]): string =>
  setting(unit({ command: ['/bin/x', ...args] }), 'ExecStart')[0] ?? '';

test('as it is by default', () => {
  const lines = unit({});
  expect(setting(lines, 'ExecStart')).toEqual(['/usr/bin/node /usr/lib/faultline/dist/faultline.js server']);
  expect(setting(lines, 'StateDirectory')).toEqual(['faultline']);
  expect(setting(lines, 'KillMode')).toEqual(['process']);
  expect(setting(lines, 'After')).toEqual(['network.target']);
  expect(setting(lines, 'LoadCredential')).toEqual([]);
  // Each of these would break a fault, or what the service knows of its callers.
  for (const name of ['ProtectProc', 'PrivateTmp', 'PrivateUsers', 'PrivateNetwork', 'MemoryDenyWriteExecute']) {
    expect(setting(lines, name)).toEqual([]);
  }
});

test('it waits for the network that it listens on', () => {
  expect(setting(unit({ network: true }), 'Wants')).toEqual(['network-online.target']);
});

// Each as systemd.syntax(7) and systemd.service(5) have it.
test.each([
  ['plain', '/bin/x plain'],
  ['--host=::1', '/bin/x --host=::1'],
  ['', '/bin/x ""'],
  ['a b', '/bin/x "a b"'],
  ['50%', '/bin/x "50%%"'],
  ['$HOME', '/bin/x "$$HOME"'],
  ['${HOME}', '/bin/x "$${HOME}"'],
  ['say "hi"', String.raw`/bin/x "say \"hi\""`],
  [`it's`, `/bin/x "it's"`],
  [String.raw`back\slash`, String.raw`/bin/x "back\\slash"`],
  [';', '/bin/x ";"'],
  ['two\nlines', String.raw`/bin/x "two\x0alines"`],
  ['ünïcödé', '/bin/x "ünïcödé"'],
])('argument %j', (argument, line) => {
  expect(started(argument)).toBe(line);
});

test('in the program’s own path nothing is a variable', () => {
  expect(setting(unit({ command: ['/opt/$x/100%/node'] }), 'ExecStart')).toEqual(['"/opt/$x/100%%/node"']);
});

test('secrets are handed over by systemd, and stand in no argument', () => {
  const lines = unit({
    tokenFile: '/etc/fault line/50%',
    readTokenFile: '/etc/read',
    keyFile: '/etc/key',
    certFile: '/etc/a b.crt',
    caFile: '/etc/ca',
  });
  expect(setting(lines, 'LoadCredential')).toEqual([
    'token:/etc/fault line/50%%',
    'read-token:/etc/read',
    'key:/etc/key',
  ]);
  expect(setting(lines, 'ExecStart')[0]).toBe(
    '/usr/bin/node /usr/lib/faultline/dist/faultline.js server --cert "/etc/a b.crt" --CA /etc/ca ' +
      '--token-file ${CREDENTIALS_DIRECTORY}/token --read-token-file ${CREDENTIALS_DIRECTORY}/read-token ' +
      '--key ${CREDENTIALS_DIRECTORY}/key',
  );
});

test.each(['/etc/two\nLoadCredential=x:/etc/shadow', '/etc/ends with a space '])(
  'a unit cannot name %j',
  (tokenFile) => {
    expect(() => unit({ tokenFile })).toThrow(expect.objectContaining({ code: 'ARGUMENT_INVALID' }));
  },
);

test.each([
  ['/var/lib/faultline', 'StateDirectory', 'faultline'],
  ['/var/lib/other', 'StateDirectory', 'other'],
  ['/var/lib/a/b', 'ReadWritePaths', '/var/lib/a/b'],
  ['/srv/chaos monkey', 'ReadWritePaths', '"/srv/chaos monkey"'],
])('state in %s', (stateDir, name, value) => {
  const lines = unit({ stateDir });
  expect(setting(lines, name)).toEqual([value]);
  expect(setting(lines, 'ExecStart')[0]).toContain(' --state-dir ');
});
