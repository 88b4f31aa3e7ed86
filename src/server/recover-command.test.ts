import { describe, expect, test } from 'vitest';
import { isFaultlineError } from '../base/error.ts';
import { refuseRecoverCommand } from './recover-command.ts';

function isRefused(body: unknown, allowRecoverCmd = false): boolean {
  try {
    refuseRecoverCommand({ allowRecoverCmd }, body);
    return false;
  } catch (error) {
    if (isFaultlineError(error, 'FORBIDDEN')) return true;
    throw error;
  }
}

describe('a recover command', () => {
  test.each(['recoverCmd', 'recover-cmd', 'recover_cmd', 'RecoverCmd', 'RECOVERCMD', 'recover cmd'])(
    'is found as %s',
    (name) => {
      expect(isRefused({ process: 'x', [name]: 'true' })).toBe(true);
    },
  );

  test('is found wherever it is, as whatever', () => {
    expect(isRefused({ attacks: [{ a: 1 }, { b: { recoverCmd: 'true' } }] })).toBe(true);
    expect(isRefused([[{ recoverCmd: ['true'] }]])).toBe(true);
    expect(isRefused({ recoverCmd: 0 })).toBe(true);
  });

  test('is none where it is not set, and where it is allowed it is no matter', () => {
    for (const body of [
      {},
      { recoverCmd: '' },
      { recoverCmd: null },
      null,
      undefined,
      'recoverCmd',
      { recoverTimeout: '1s' },
    ]) {
      expect(isRefused(body)).toBe(false);
    }
    expect(isRefused({ recoverCmd: 'true' }, true)).toBe(false);
  });

  test('is found a million levels down', () => {
    let body: object = { recoverCmd: 'true' };
    for (let level = 0; level < 1_000_000; level++) body = { body };
    expect(isRefused(body)).toBe(true);
  });
});
