import { expect, test } from 'vitest';
import type { SeenDeath, SeenOom, SeenSignal } from '../../linux/death-events/event.ts';
import type { OomReport } from '../kernel-log/oom-report.ts';
import { scanned } from '../test-support/scanned.ts';
import { recordOf } from './record-of.ts';

const now = { wallMs: 1_000_000, monotonicMs: 500_000, bootMs: 600_000 };

const seen: SeenDeath = {
  kind: 'death',
  atMs: 500_000,
  pid: 77,
  nsPid: null,
  namespaces: [],
  ppid: 1,
  name: 'web',
  uid: 0,
  cgroup: '/',
  startTimeTicks: 1,
  argv: null,
  status: 0x100,
  ageMs: 1000,
  signal: null,
  oom: null,
};

const asked = (signal: number, beforeMs: number): SeenSignal => ({
  signal,
  code: 0,
  beforeMs,
  pid: 9,
  name: 'logrotate',
  uid: 0,
  cgroup: null,
});

const marked: SeenOom = {
  totalVmPages: 100,
  anonRssPages: 50,
  fileRssPages: null,
  shmemRssPages: null,
  oomScoreAdj: 0,
};

const none = (): undefined => undefined;

/** What the kernel's log tells of a kill of this PID, so many seconds after boot. */
function reportsAt(seconds: number, pid: number, kib: number): readonly OomReport[] {
  const sizes = `total-vm:900kB, anon-rss:${kib}kB, file-rss:8kB, shmem-rss:0kB`;
  const line = `[${seconds.toFixed(6)}] Memory cgroup out of memory: Killed process ${pid} (web) ${sizes}\n`;
  return scanned(line).flatMap((finding) => (finding.kind === 'oom' ? [finding.report] : []));
}

test.each([
  ['asked to exit a moment ago', 0x100, asked(15, 200), 9],
  ['told to read its settings, hours before it failed', 0x100, asked(1, 5 * 3_600_000), null],
  ['it took long, but ends as one that was asked to', 143 << 8, asked(15, 600_000), 9],
  ['killed after it was held up for long', 0x9, asked(9, 600_000), 9],
])('the signal that has to do with the end: %s', (_what, status, signal, sender) => {
  const record = recordOf({ ...seen, status, signal }, 'bpf', now, none);
  expect(record.sender?.pid ?? null).toBe(sender);
  expect(record.signal === null).toBe(sender === null);
});

test('marked by the OOM killer, but it exited by itself: it was not killed', () => {
  expect(recordOf({ ...seen, oom: marked }, 'bpf', now, none).oom).toBeNull();
  expect(recordOf({ ...seen, status: 9, oom: marked }, 'bpf', now, none).oom).toMatchObject({ anonRssKib: 200 });
});

test('the kernel’s log tells of this death, not of an earlier one with the same PID', () => {
  const killed = { ...seen, status: 9, oom: marked };
  expect(recordOf(killed, 'bpf', now, () => reportsAt(499.9, 77, 444)).oom).toMatchObject({ anonRssKib: 444 });
  expect(recordOf(killed, 'bpf', now, () => reportsAt(5, 77, 444)).oom).toMatchObject({ anonRssKib: 200 });
  expect(recordOf(killed, 'bpf', now, () => reportsAt(499.9, 78, 444)).oom).toMatchObject({ anonRssKib: 200 });
});
