import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { FaultlineError } from '../../base/error.ts';
import { faultOf } from '../../faults/registry.ts';
import { readAttack } from './body.ts';

const processFault = faultOf('process');
const read = (input: unknown) => readAttack(processFault, input);

describe('the action', () => {
  test.each([
    [{}, { action: 'kill' }],
    [{ signal: 0 }, { action: 'kill' }],
    [{ signal: 15 }, { action: 'kill', signal: 15 }],
    [{ signal: 20 }, { action: 'kill', signal: 20 }],
    [{ signal: 19 }, { action: 'stop' }],
    [{ signal: '19' }, { action: 'stop' }],
    [{ signal: 'stop' }, { action: 'stop' }],
    [{ action: 'stop' }, { action: 'stop' }],
    [{ action: 'stop', signal: 19 }, { action: 'stop' }],
    [
      { action: 'kill', signal: 19 },
      { action: 'kill', signal: 19 },
    ],
  ])('of %j is that of %j', (given, expected) => {
    const { wait: _wait, ...body } = read({ process: 'x', ...given }).body;
    expect(body).toEqual({ kind: 'process', process: 'x', ...expected });
  });

  test('is the only one where there is only one', () => {
    expect(readAttack(faultOf('noop'), { name: 'x' }).body).toEqual({ kind: 'noop', action: 'hold', name: 'x' });
  });
});

describe('fields', () => {
  test('that are not set are left out', () => {
    const given = { process: 'x', uid: '', recoverCmd: '', 'recover-cmd': null, duration: '', schedule: '', PIDs: [] };
    const { body, schedule } = read(given);
    expect(Object.keys(body).sort()).toEqual(['action', 'kind', 'process', 'wait']);
    expect(schedule).toBeUndefined();
  });

  test('are known in any case and by other names; a schedule is set apart', () => {
    const { body, schedule } = read({ PROCESS: 'x', 'Recover-Cmd': 'true', maxtargets: 3, Schedule: '@every 1m' });
    expect(body).toMatchObject({ process: 'x', recoverCmd: 'true', maxTargets: 3 });
    expect(schedule).toBe('@every 1m');
  });

  test('whose time to wait is given keep it', () => {
    expect(read({ process: 'x', wait: '9s' }).body['wait']).toBe('9s');
  });
});

test('whatever comes is read or refused in words, and never grows fields', () => {
  const names = fc.constantFrom(
    'process',
    'signal',
    'action',
    'uid',
    'mode',
    'value',
    'PIDs',
    'schedule',
    '__proto__',
    'x',
  );
  const bodies = fc.oneof(fc.jsonValue(), fc.dictionary(names, fc.jsonValue()));
  fc.assert(
    fc.property(bodies, (input) => {
      try {
        const { body } = read(input);
        const given = Object.keys(input as object).length;
        expect(Object.keys(body).length).toBeLessThanOrEqual(given + 3);
      } catch (error) {
        expect(error).toBeInstanceOf(FaultlineError);
      }
    }),
    { numRuns: 500 },
  );
});
