import { expect, test } from 'vitest';
import { deathCause } from './death-cause.ts';
import type { DeathRecord } from './death-record.ts';

const base: DeathRecord = {
  at: 0,
  bootMs: 0,
  bootId: '',
  pid: 1,
  nsPid: null,
  namespaces: [],
  startTimeTicks: 0,
  ppid: 1,
  name: 'web',
  argv: null,
  uid: 0,
  cgroup: null,
  container: null,
  ageMs: 0,
  end: { kind: 'exited', code: 0 },
  signal: null,
  sender: null,
  oom: null,
  injection: null,
  source: 'bpf',
};
const oom = {
  scope: null,
  limitCgroup: null,
  anonRssKib: null,
  fileRssKib: null,
  shmemRssKib: null,
  totalVmKib: null,
  oomScoreAdj: null,
};
const killed = { end: { kind: 'signaled', signal: 11, coreDumped: false } } as const;

test.each<[string, Partial<DeathRecord>]>([
  ['exited', {}],
  ['exited', { signal: { number: 15, code: 0, beforeMs: 1 } }],
  ['failed', { end: { kind: 'exited', code: 3 } }],
  ['unknown', { end: null }],
  ['signal', killed],
  ['signal', { ...killed, signal: { number: 11, code: 0, beforeMs: 1 } }],
  ['signal', { ...killed, signal: { number: 11, code: 0x80, beforeMs: 1 } }],
  ['fault', { ...killed, signal: { number: 11, code: 1, beforeMs: 1 } }],
  ['oom', { ...killed, oom }],
  ['injection', { ...killed, oom, injection: 'drill' }],
])('%s: %j', (cause, record) => {
  expect(deathCause({ ...base, ...record })).toBe(cause);
});
