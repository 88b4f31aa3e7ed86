import { expect, test } from 'vitest';
import { scanned } from '../test-support/scanned.ts';
import type { OomReport } from './oom-report.ts';

const sizes = 'total-vm:400kB, anon-rss:100kB, file-rss:8kB, shmem-rss:0kB';
const killed = (pid: number, name: string): string =>
  `Memory cgroup out of memory: Killed process ${pid} (${name}) ${sizes}`;
const reaped = (pid: number, name: string): string =>
  `oom_reaper: reaped process ${pid} (${name}), now anon-rss:0kB, file-rss:0kB, shmem-rss:0kB`;
const invoked = (name: string): string =>
  `${name} invoked oom-killer: gfp_mask=0xcc0(GFP_KERNEL), order=0, oom_score_adj=0`;
const chosen = (pid: number, name: string): string =>
  'oom-kill:constraint=CONSTRAINT_MEMCG,nodemask=(null),cpuset=/,mems_allowed=0,' +
  `oom_memcg=/${name},task_memcg=/${name},task=${name},pid=${pid},uid=0`;

/** Each line a second after the one before, or as it says. */
function reportsOf(...lines: readonly (string | readonly [seconds: number, line: string])[]): readonly OomReport[] {
  const log = lines.map((line, index) => {
    const [seconds, text] = typeof line === 'string' ? [index, line] : line;
    return `[${seconds.toFixed(6)}] ${text}\n`;
  });
  return scanned(log.join('')).flatMap((finding) => (finding.kind === 'oom' ? [finding.report] : []));
}

const told = (reports: readonly OomReport[]): readonly (readonly (number | undefined)[])[] =>
  reports.map(({ victims, supposed }) => [victims[0]?.pid, supposed?.pid]);

test.each([
  ['5.0 and newer', chosen(20, 'b')],
  ['before 5.0', 'Memory cgroup out of memory: Kill process 20 (b) score 900 or sacrifice child'],
  ['nothing more is told', 'Call Trace:'],
])('the reaper tells of one kill in the middle of the next: %s', (_kernel, line) => {
  const reports = reportsOf(
    invoked('a'),
    killed(10, 'a'),
    invoked('b'),
    line,
    reaped(10, 'a'),
    killed(20, 'b'),
    reaped(20, 'b'),
  );
  expect(reports.map(({ victims }) => victims.map(({ pid }) => pid))).toEqual([[10], [20]]);
  expect(reports.map(({ doubts }) => doubts)).toEqual([[], []]);
  expect(reports[1]).toMatchObject({ trigger: { name: 'b' }, reaped: [20] });
});

test('a kill whose line was lost is known by the reaper, and ends no report but its own', () => {
  const reports = reportsOf(invoked('b'), chosen(20, 'b'), reaped(10, 'a'), killed(20, 'b'));
  expect(told(reports)).toEqual([
    [undefined, 10],
    [20, 20],
  ]);
  expect(reports[1]).toMatchObject({ trigger: { name: 'b' }, doubts: [] });
});

test('a line that is there twice is one kill', () => {
  const reports = reportsOf(invoked('a'), killed(10, 'a'), killed(10, 'a'), reaped(10, 'a'), reaped(10, 'a'));
  expect(told(reports)).toEqual([[10, undefined]]);
});

test('who is killed long after a group was is none of it', () => {
  const group = 'Tasks in /box are going to be killed due to memory.oom.group set';
  const reports = reportsOf(
    [1, invoked('a')],
    [1, killed(10, 'a')],
    [1, group],
    [1.1, killed(10, 'a')],
    [1.2, killed(11, 'b')],
    [3600, killed(12, 'c')],
  );
  expect(reports.map(({ victims }) => victims.map(({ pid }) => pid))).toEqual([[10, 11], [12]]);
  expect(reports.map(({ how }) => how)).toEqual(['group', 'chosen']);
});

test('a number that no process has is none', () => {
  expect(reportsOf(killed(100_000_000, 'a'), chosen(100_000_000, 'a'), reaped(100_000_000, 'a'))).toEqual([]);
});
