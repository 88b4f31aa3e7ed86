import { expect, test } from 'vitest';
import type { DeathRecord } from './death-record.ts';
import { endText, oomText, senderText, whoText } from './death-text.ts';

const base: DeathRecord = {
  at: 0,
  bootMs: 0,
  bootId: 'boot',
  pid: 4123,
  nsPid: null,
  namespaces: [],
  startTimeTicks: 1,
  ppid: 1,
  name: 'web',
  argv: null,
  uid: 0,
  cgroup: '/web',
  container: null,
  ageMs: null,
  end: { kind: 'exited', code: 3 },
  signal: null,
  sender: null,
  oom: null,
  injection: null,
  source: 'bpf',
};

const signaled = (signal: number, coreDumped = false): DeathRecord['end'] => ({ kind: 'signaled', signal, coreDumped });

test.each([
  [{}, 'exited with 3'],
  [{ end: signaled(11, true) }, 'died of SIGSEGV, core dumped'],
  [{ end: signaled(15) }, 'died of SIGTERM'],
  [{ end: null }, 'ended; how was not seen'],
  [
    { end: { kind: 'exited', code: 0 }, signal: { number: 15, code: 0, beforeMs: 120 } },
    'exited with 0, 120 ms after SIGTERM',
  ],
] satisfies [Partial<DeathRecord>, string][])('how it ended: %j', (change, text) => {
  expect(endText({ ...base, ...change })).toBe(text);
});

test('who sent the signal: another, itself, the kernel for a reason, nobody', () => {
  const sender = { pid: 99, name: 'pkill', uid: 0, cgroup: '/user.slice' };
  const signal = { number: 15, code: 0, beforeMs: 1 };
  expect(senderText({ ...base, sender, signal })).toBe('sent by pid 99 (pkill) of root in /user.slice');
  expect(senderText({ ...base, sender: { ...sender, cgroup: '/web' }, signal })).toBe('sent by pid 99 (pkill) of root');
  expect(senderText({ ...base, sender: { ...sender, pid: 4123 }, signal })).toBe('sent by itself');
  expect(senderText({ ...base, signal: { number: 8, code: 1, beforeMs: 0 } })).toBe(
    'by the kernel, for an integer divided by zero',
  );
  expect(senderText({ ...base, signal: { number: 9, code: 0x80, beforeMs: 0 } })).toBe('sent by the kernel');
  expect(senderText(base)).toBeUndefined();
});

test('its number in its own namespace is told, and what the OOM killer knew', () => {
  expect(whoText({ ...base, nsPid: 7 })).toBe('pid 4123 (web, 7 in its namespace)');
  const oom = {
    scope: 'cgroup' as const,
    limitCgroup: '/box',
    anonRssKib: 41_165,
    fileRssKib: 1024,
    shmemRssKib: 0,
    totalVmKib: 102_400,
    oomScoreAdj: 500,
  };
  expect(endText({ ...base, oom })).toBe('was killed by the OOM killer');
  expect(oomText(oom)).toBe(
    'the limit of /box was reached; it had 40.2 MiB anonymous, 1.0 MiB file, 0.0 MiB shared of 100.0 MiB; ' +
      'oom_score_adj 500',
  );
  const bare = { anonRssKib: null, fileRssKib: null, shmemRssKib: null, totalVmKib: null, oomScoreAdj: null };
  expect(oomText({ ...bare, scope: 'global', limitCgroup: null })).toBe('the host ran out of memory');
  expect(oomText({ ...bare, scope: null, limitCgroup: null })).toBe('');
});
