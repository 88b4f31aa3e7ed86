import { describe, expect, test } from 'vitest';
import { isFaultlineError } from '../../base/error.ts';
import { liveStates } from '../../base/lifecycle.ts';
import { selectionModes } from '../../targets/mode.ts';
import { chaosdStatuses } from '../../api/chaosd-status.ts';
import { buildProgram } from '../program.ts';
import { answer as answerWith, recorded, recordedService } from '../test-support/recorded.ts';
import { answer } from './answer.ts';
import type { Candidate } from './candidate.ts';

async function candidatesAt(...words: readonly string[]): Promise<readonly Candidate[]> {
  const found = await answer(buildProgram('faultline'), words.slice(0, -1), words.at(-1) ?? '');
  if (found.what !== 'words') throw new Error(`not words but ${found.what}`);
  return found.candidates;
}

async function valuesAt(...words: readonly string[]): Promise<readonly string[]> {
  return (await candidatesAt(...words)).map(({ value }) => value);
}

const kill = ['attack', 'process', 'kill'];

describe('commands', () => {
  test('those that a user is told of, with what they do', async () => {
    const candidates = await candidatesAt('');
    expect(candidates).toContainEqual({ value: 'recover', description: 'undo an injection' });
    expect(candidates.map(({ value }) => value)).toEqual(
      expect.arrayContaining(['attack', 'halt', 'search', 'show', 'doctor', 'version', 'completion', 'man', 'help']),
    );
    expect(candidates.map(({ value }) => value)).not.toContain('keeper');
    expect(candidates.map(({ value }) => value)).not.toContain('__complete');
  });

  test('kinds and actions of faults', async () => {
    expect(await valuesAt('attack', '')).toContain('process');
    expect(await valuesAt('attack', 'process', '')).toEqual(['kill', 'stop', 'oom']);
    expect(await valuesAt('completion', '')).toEqual(['bash', 'zsh', 'fish']);
  });

  test('topics of help, to any depth', async () => {
    expect(await valuesAt('help', '')).toContain('attack');
    expect(await valuesAt('help', 'attack', 'process', '')).toEqual(['kill', 'stop', 'oom']);
    expect(await valuesAt('help', 'attack', 'process', 'kill', '')).toEqual([]);
    expect(await valuesAt('help', 'nothing', '')).toEqual([]);
  });
});

describe('flags', () => {
  test('long and short, own and inherited, with descriptions', async () => {
    const candidates = await candidatesAt(...kill, '-');
    expect(candidates).toContainEqual({
      value: '--signal',
      description: 'Signal to send, by name or number (default 9)',
    });
    expect(candidates).toContainEqual({ value: '-s', description: 'Signal to send, by name or number (default 9)' });
    const flags = candidates.map(({ value }) => value);
    expect(flags).toEqual(expect.arrayContaining(['--dry-run', '--help', '-h', '--log-level', '--state-dir']));
    expect(new Set(flags).size).toBe(flags.length);
  });

  test('not again what was given, unless it may be repeated', async () => {
    const flags = await valuesAt(...kill, '-p', 'nginx', '--exclude', 'a', '--log-level=info', '-');
    for (const gone of ['-p', '--process', '--log-level']) expect(flags).not.toContain(gone);
    expect(flags).toContain('--exclude');
  });

  test('at once where nothing else can stand, and by a dash where something can', async () => {
    expect(await valuesAt(...kill, '')).toContain('--signal');
    expect(await valuesAt('attack', '')).not.toContain('--log-level');
    expect(await valuesAt('attack', '-')).toContain('--log-level');
    expect(await valuesAt(...kill, 'extra')).toEqual([]);
  });
});

describe('values', () => {
  test.each<readonly [string, readonly string[], readonly string[]]>([
    ['--mode', [...kill, '--mode', ''], selectionModes],
    ['--output', [...kill, '-o', ''], ['text', 'json', 'yaml']],
    ['--output of search', ['search', '--output', ''], ['text', 'json', 'yaml']],
    ['--offset of search, which -o is there', ['search', '-o', ''], []],
    ['--status', ['search', '-s', ''], chaosdStatuses],
    ['--kind', ['search', '--kind', ''], ['process', 'io', 'kernel', 'noop']],
    ['--log-level', ['--log-level', ''], ['debug', 'info', 'warn', 'error']],
    ['one in the same word', [...kill, '--mode=f'], selectionModes.map((mode) => `--mode=${mode}`)],
    ['a flag that takes anything', [...kill, '--recover-cmd', ''], []],
  ])('%s', async (_name, words, values) => {
    expect(await valuesAt(...words)).toEqual(values);
  });

  test('signals by name, with or without SIG, and by number', async () => {
    const long = await candidatesAt(...kill, '-s', '');
    expect(long).toHaveLength(64);
    expect(long).toContainEqual({ value: 'SIGTERM', description: '15' });
    expect(await valuesAt(...kill, '-s', 'TE')).toContain('TERM');
    expect(await candidatesAt(...kill, '-s', '1')).toContainEqual({ value: '15', description: 'SIGTERM' });
    expect(await valuesAt(...kill, '-sSIGT')).toContain('-sSIGTERM');
  });

  test('users of this host', async () => {
    expect(await candidatesAt(...kill, '--user', '')).toContainEqual({ value: 'root', description: 'uid 0' });
  });

  test('durations', async () => {
    expect(await valuesAt('attack', 'process', 'stop', '--duration', '')).toContain('30s');
  });

  test('folders and files are left to the shell', async () => {
    const program = buildProgram('faultline');
    expect(await answer(program, ['--state-dir'], '/va')).toEqual({ what: 'folders' });
    for (const flag of ['--token-file', '--server-ca', '--client-cert', '--client-key']) {
      expect(await answer(program, [...kill, flag], '/e')).toEqual({ what: 'files' });
    }
    for (const command of ['apply', 'delete']) {
      expect(await answer(program, [command, '-f'], 'chaos')).toEqual({ what: 'files' });
    }
  });
});

describe('with a service', () => {
  /** It has two seconds to answer: where the machine stood still for as long it is asked again. */
  async function answeredAt(...words: readonly string[]): Promise<readonly Candidate[]> {
    for (let tries = 1; ; tries += 1) {
      try {
        return await candidatesAt(...words);
      } catch (error) {
        if (tries === 3 || !isFaultlineError(error, 'INTERRUPTED')) throw error;
      }
    }
  }

  test('its injections', async () => {
    const { url, heard } = await recordedService((_heard, response) => {
      answerWith(response, 200, { items: [recorded], total: 1, offset: 0 });
    });
    const demo = { value: 'demo', description: 'process stop, injected, 2026-11-21T03:42:15Z' };
    expect(await answeredAt('show', '--server', url, '')).toEqual([demo]);
    expect(await answeredAt('recover', `--server=${url}`, '')).toEqual([demo]);
    const states = new Set(heard.map((one) => new URL(one.url, url).searchParams.get('state')));
    expect([...states]).toEqual([null, liveStates.join(',')]);
  });

  test('no processes of this host, unless it is on it', async () => {
    expect(await valuesAt(...kill, '--server', 'https://chaos.example', '-p', '')).toEqual([]);
    expect(await valuesAt(...kill, '--server', 'http://127.0.0.1:31767', '-p', String(process.ppid))).toContain(
      String(process.ppid),
    );
  });
});

describe('processes', () => {
  test('by name and by PID, without this one and PID 1', async () => {
    // Of a host with thousands of processes only some are offered: those that begin like our parent.
    const candidates = [
      ...(await candidatesAt(...kill, '-p', '')),
      ...(await candidatesAt(...kill, '-p', String(process.ppid))),
    ];
    const values = candidates.map(({ value }) => value);
    expect(values).not.toContain('1');
    expect(values).not.toContain(String(process.pid));
    const parent = candidates.find(({ value }) => value === String(process.ppid));
    expect(parent?.description).toMatch(/./);
    const named = await valuesAt(...kill, '-p', parent?.description ?? '');
    expect(named).toContain(parent?.description);
  });

  test('the PIDs that begin with what was typed', async () => {
    const typed = String(process.ppid);
    const pids = (await valuesAt(...kill, '-p', typed)).filter((value) => /^\d/.test(value));
    expect(pids).toContain(typed);
    expect(pids.every((pid) => pid.startsWith(typed))).toBe(true);
  });
});
