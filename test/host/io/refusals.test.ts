import { chmodSync, existsSync, mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, test } from 'vitest';
import type { ErrorCode } from '../../../src/base/error-codes.ts';
import { readJournal } from '../../support/journal.ts';
import { cannotInject, mountsSeenHere, processesOf, type Scene, scene } from './lab.ts';

/*
 * What is asked for wrongly is refused in a sentence that says what is wrong, before anything is touched: no mount, no
 * daemon, nothing live in the journal.
 */

interface Case {
  readonly what: string;
  /** Flags beside `--volume`. */
  readonly args: readonly string[];
  readonly volume?: (one: Scene) => string;
  readonly action?: string;
  readonly code: ErrorCode;
  /** 128: it was asked wrongly; 1: it cannot be done as things are. */
  readonly exit: 1 | 128;
  readonly says: RegExp;
}

const delay = ['--delay', '10ms'];

const badRules: readonly Case[] = [
  {
    what: 'a bad pattern',
    args: [...delay, '--path', '/data/[a-'],
    code: 'ARGUMENT_INVALID',
    exit: 128,
    says: /\/data\/\[a-/u,
  },
  {
    what: 'an unknown method',
    args: [...delay, '--methods', 'read,wriet'],
    code: 'ARGUMENT_INVALID',
    exit: 128,
    says: /wriet[\s\S]*write/u,
  },
  {
    what: 'an unknown errno',
    action: 'fault',
    args: ['--errno', 'EBROKEN'],
    code: 'ARGUMENT_INVALID',
    exit: 128,
    says: /EBROKEN/u,
  },
  {
    what: 'an errno that is none',
    action: 'fault',
    args: ['--errno', '0'],
    code: 'ARGUMENT_INVALID',
    exit: 128,
    says: /0/u,
  },
  { what: 'percent 101', args: [...delay, '--percent', '101'], code: 'ARGUMENT_INVALID', exit: 128, says: /percent/u },
  { what: 'a negative delay', args: ['--delay=-5ms'], code: 'DURATION_INVALID', exit: 128, says: /-5ms/u },
  { what: 'no delay', args: [], code: 'ARGUMENT_INVALID', exit: 128, says: /delay/u },
  {
    what: 'a list of rules that is none',
    action: 'rules',
    args: ['--rules', '/dev/null'],
    code: 'ARGUMENT_INVALID',
    exit: 128,
    says: /\/dev\/null/u,
  },
];

const wrongVolumes: readonly Omit<Case, 'args'>[] = [
  {
    what: 'a folder that is not there',
    volume: (one) => one.inVolume('missing'),
    code: 'VOLUME_NOT_FOUND',
    exit: 1,
    says: /missing/u,
  },
  { what: 'a file', volume: (one) => one.inVolume('file'), code: 'VOLUME_INVALID', exit: 128, says: /not a folder/u },
  { what: 'the root', volume: () => '/', code: 'ARGUMENT_INVALID', exit: 128, says: /cannot be \//u },
  { what: 'the root in disguise', volume: () => '//.', code: 'ARGUMENT_INVALID', exit: 128, says: /cannot be \//u },
  { what: '/proc', volume: () => '/proc', code: 'VOLUME_INVALID', exit: 128, says: /kernel/u },
  { what: 'a folder in /proc', volume: () => '/proc/self', code: 'VOLUME_INVALID', exit: 128, says: /\/proc\/self/u },
  { what: '/sys', volume: () => '/sys', code: 'VOLUME_INVALID', exit: 128, says: /kernel/u },
  { what: '/dev', volume: () => '/dev', code: 'VOLUME_INVALID', exit: 128, says: /kernel/u },
  { what: 'the state folder', volume: (one) => one.stateDir, code: 'VOLUME_INVALID', exit: 128, says: /state folder/u },
  {
    what: 'a folder in the state folder',
    volume: (one) => path.join(one.stateDir, 'volumes'),
    code: 'VOLUME_INVALID',
    exit: 128,
    says: /state folder/u,
  },
  {
    what: 'a folder around the state folder',
    volume: (one) => path.dirname(one.stateDir),
    code: 'VOLUME_INVALID',
    exit: 128,
    says: /state folder/u,
  },
  {
    what: "Faultline's own program",
    volume: () => path.resolve(import.meta.dirname, '../../../dist'),
    code: 'VOLUME_INVALID',
    exit: 128,
    says: /own program/u,
  },
  {
    what: 'a relative path',
    volume: () => 'some/folder',
    code: 'ARGUMENT_INVALID',
    exit: 128,
    says: /relative/u,
  },
  {
    what: 'a path that leads upward',
    volume: (one) => `${one.volume}/../volume`,
    code: 'ARGUMENT_INVALID',
    exit: 128,
    says: /"\.\."/u,
  },
  {
    what: 'a symbolic link',
    volume: (one) => path.join(one.volume, 'link'),
    code: 'VOLUME_INVALID',
    exit: 128,
    says: /symbolic link[\s\S]*\/tmp/u,
  },
];
const badVolumes: readonly Case[] = wrongVolumes.map((one) => ({ args: delay, ...one }));

/** Nothing was touched: the volume is not covered, nobody serves it, and the journal knows of nothing that is live. */
function expectUntouched(one: Scene): void {
  expect(mountsSeenHere(one.volume)).toEqual([]);
  expect(processesOf(one)).toEqual([]);
  if (!existsSync(path.join(one.stateDir, 'faultline.db'))) return;
  expect(readJournal(one.stateDir).map(({ record }) => record.state)).toEqual([]);
}

async function expectRefused(one: Scene, refused: Case): Promise<void> {
  const volume = refused.volume?.(one) ?? one.volume;
  const ran = await one.run(['attack', 'io', refused.action ?? 'latency', '--volume', volume, ...refused.args]);
  expect(ran.stderr).toContain(`[${refused.code}]`);
  expect(ran.stderr).toMatch(refused.says);
  expect(ran.stderr).toMatch(/^Error: .+\nHint: [\s\S]+\n$/u);
  expect(ran).toMatchObject({ code: refused.exit, stdout: '' });
  expectUntouched(one);
}

/** A scene with a state folder that is there, and a symbolic link in the volume. */
function preparedScene(): Scene {
  const one = scene();
  mkdirSync(path.join(one.stateDir, 'volumes'), { recursive: true, mode: 0o700 });
  symlinkSync('/tmp', one.inVolume('link'));
  return one;
}

// What is wrong with the words is told to everybody, whatever may be done here.
describe('rules that are refused', () => {
  test.each(badRules.map((one) => ({ ...one })))('$what', (refused) => expectRefused(preparedScene(), refused));
});

describe.skipIf(cannotInject !== undefined)('volumes that are refused', () => {
  test.each(badVolumes.map((one) => ({ ...one })))('$what', (refused) => expectRefused(preparedScene(), refused));

  test('processes of which there are none', async () => {
    const one = scene();
    const args = ['--volume', one.volume, ...delay, '--process', 'no-such-program'];
    const ran = await one.run(['attack', 'io', 'latency', ...args]);
    expect(ran.stderr).toContain('[PROCESS_NOT_FOUND]');
    expect(ran.code).toBe(1);
    expectUntouched(one);
  });

  test('a process whose view is asked for, and that is not there', async () => {
    const one = scene();
    const ran = await one.run(['attack', 'io', 'latency', '--volume', one.volume, ...delay, '--in-pid', '4194304']);
    expect(ran.stderr).toContain('[PROCESS_NOT_FOUND]');
    expect(ran.code).toBe(1);
    expectUntouched(one);
  });

  test('a rule in a list: its number is told', async () => {
    const one = scene();
    const list = path.join(path.dirname(one.volume), 'rules.json');
    writeFileSync(
      list,
      JSON.stringify([
        { type: 'latency', latency: '1ms' },
        { type: 'latency', latency: '1ms', percent: 101 },
      ]),
    );
    const ran = await one.run(['attack', 'io', 'rules', '--volume', one.volume, '--rules', list]);
    expect(ran.stderr).toContain('[ARGUMENT_INVALID]');
    expect(ran.stderr).toMatch(/2|rules\/1|second/u);
    expect(ran.code).toBe(128);
    expectUntouched(one);
  });
});

test('a user without the capabilities: in one sentence, with what to do', async () => {
  const one = scene();
  const folder = path.join(path.dirname(one.volume), 'of-the-user');
  mkdirSync(folder);
  chmodSync(folder, 0o777);
  const ran = await one.run(['attack', 'io', 'latency', '--volume', one.volume, ...delay], {
    stateDir: path.join(folder, 'state'),
    ...(process.geteuid?.() === 0 ? { uid: 65_534 } : {}),
  });
  expect(ran.stderr).toMatch(/^Error: [^\n]+ \[HOST_UNSUPPORTED\]\nHint: [^\n]*root[^\n]*\n$/u);
  expect(ran).toMatchObject({ code: 1, stdout: '' });
  expectUntouched(one);
});
