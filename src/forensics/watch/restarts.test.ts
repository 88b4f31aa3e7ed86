import { expect, test } from 'vitest';
import type { SeenExec } from '../../linux/death-events/event.ts';
import type { DeathRecord } from '../death-record.ts';
import { expectRestarts } from './restarts.ts';

const now = { wallMs: 1_000_000, monotonicMs: 500_000, bootMs: 500_000 };

const died: DeathRecord = {
  at: 999_000,
  bootMs: 499_000,
  bootId: 'boot',
  pid: 100,
  nsPid: null,
  namespaces: [],
  startTimeTicks: 5,
  ppid: 1,
  name: 'web',
  argv: ['web', '--port', '80'],
  uid: 0,
  cgroup: '/web',
  container: null,
  ageMs: 10,
  end: { kind: 'signaled', signal: 9, coreDumped: false },
  signal: null,
  sender: null,
  oom: null,
  injection: null,
  source: 'bpf',
};

const started: SeenExec = {
  kind: 'exec',
  atMs: 499_500,
  pid: 200,
  nsPid: null,
  namespaces: [],
  ppid: 1,
  name: 'web',
  uid: 0,
  cgroup: '/web',
  startTimeTicks: 9,
  argv: ['web', '--port', '80'],
};

test('the same name, user, parent and arguments: it is he, once', () => {
  const restarts = expectRestarts();
  restarts.expect(died);
  expect(restarts.seen(started, now)).toEqual({ at: 999_500, pid: 200, name: 'web', died: 100, afterMs: 500 });
  expect(restarts.seen({ ...started, pid: 201 }, now)).toBeUndefined();
});

test.each([
  ['another name', { name: 'api' }],
  ['another user', { uid: 7 }],
  ['another parent', { ppid: 8 }],
  ['other arguments', { argv: ['web', '--port', '81'] }],
  ['the same process', { pid: 100 }],
])('%s: it is somebody else', (_what, change) => {
  const restarts = expectRestarts();
  restarts.expect(died);
  expect(restarts.seen({ ...started, ...change }, now)).toBeUndefined();
});

test('who had done his work is not expected, nor is anybody for ever; thousands are forgotten', () => {
  const restarts = expectRestarts();
  restarts.expect({ ...died, end: { kind: 'exited', code: 0 } });
  expect(restarts.seen(started, now)).toBeUndefined();
  restarts.expect(died);
  expect(restarts.seen(started, { ...now, wallMs: now.wallMs + 3_600_000 })).toBeUndefined();
  for (let index = 0; index < 5_000; index += 1) restarts.expect({ ...died, name: `n${index}` });
  restarts.expect(died);
  expect(restarts.seen(started, now)).toBeDefined();
});
