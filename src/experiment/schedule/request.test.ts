import { describe, expect, test } from 'vitest';
import { parseSchedule, runBody, scheduleBody, tellableBody } from './request.ts';

const body = { kind: 'process', action: 'stop', process: 'nginx', schedule: '@every 10s', duration: '5s', uid: 's-1' };

describe('parseSchedule', () => {
  test('is an attack and when it is made', async () => {
    const request = await parseSchedule(body);
    expect(request.expression).toBe('@every 10s');
    expect(request.attack).toMatchObject({ kind: 'process', action: 'stop', uid: 's-1', leaseMs: 5_000 });
    expect(request.attack.input).toEqual({ process: 'nginx' });
  });

  test('goes over a wire and comes back the same', async () => {
    const request = await parseSchedule({ ...body, maxTargets: 3, allowOverlap: true });
    expect(await parseSchedule(scheduleBody(request))).toEqual(request);
  });

  test('what each run does has no uid of its own yet, and no schedule', async () => {
    const { attack } = await parseSchedule(body);
    expect(runBody(attack)).toEqual({ kind: 'process', action: 'stop', process: 'nginx', duration: '5000ms' });
  });

  test.each([undefined, '', '   ', 7, null, ['* * * * *']])('refuses the schedule %j', async (schedule) => {
    const { schedule: _given, ...rest } = body;
    const without = schedule === undefined ? rest : { ...rest, schedule };
    await expect(parseSchedule(without)).rejects.toMatchObject({ code: 'SCHEDULE_INVALID' });
  });

  test('a uid leaves room for the numbers of the runs', async () => {
    expect((await parseSchedule({ ...body, uid: 'a'.repeat(100) })).attack.uid).toHaveLength(100);
    await expect(parseSchedule({ ...body, uid: 'a'.repeat(101) })).rejects.toMatchObject({ code: 'UID_INVALID' });
  });
});

test('a recover command is told only to be there, under either name', () => {
  expect(tellableBody({ process: 'x', recoverCmd: 'secret', 'recover-cmd': 'secret' })).toEqual({
    process: 'x',
    recoverCmd: '(given)',
    'recover-cmd': '(given)',
  });
});
