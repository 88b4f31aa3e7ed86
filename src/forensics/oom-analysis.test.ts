import { describe, expect, test } from 'vitest';
import type { OomReport } from './kernel-log/oom-report.ts';
import { analyseOom, victimPageTablesKib } from './oom-analysis.ts';
import { type Kernel, sampleOf, sampleTasks, type Way } from './test-support/samples.ts';
import { scanned } from './test-support/scanned.ts';

function report(kernel: Kernel, way: Way, tasks = sampleTasks): OomReport {
  const [finding] = scanned(`${sampleOf(kernel, way, tasks).lines.join('\n')}\n`);
  if (finding?.kind !== 'oom') throw new Error('there is a report');
  return finding.report;
}

describe('badness', () => {
  test('pages of memory, swap and tables; oom_score_adj thousandths of the limit', () => {
    const { candidates, totalKib, totalFrom } = analyseOom(report('6.18', 'cgroup'));
    expect({ totalKib, totalFrom }).toEqual({ totalKib: 65_536, totalFrom: 'limit' });
    // 64 MiB are 16384 pages of 4 KiB, of which a thousandth is 16.
    expect(candidates.map(({ pid, badness, spared }) => [pid, badness, spared])).toEqual([
      [5451, 12_040, null],
      [30_187, 2450, null],
      [871, 1612 + 4 + 23 - 250 * 16, null],
      [1905, 911 + 23 - 900 * 16, null],
      [2421, 953 + 12 - 1000 * 16, 'exempt'],
    ]);
  });

  test('RAM less what is reserved, and swap', () => {
    const { totalKib, totalFrom } = analyseOom(report('5.15', 'global'));
    expect({ totalKib, totalFrom }).toEqual({ totalKib: (262_014 - 9319) * 4, totalFrom: 'report' });
  });

  test('page tables count the same, whether they are told in bytes or in pages', () => {
    const [old, recent] = (['4.4', '6.1'] as const).map((kernel) => analyseOom(report(kernel, 'cgroup')).candidates);
    expect(old).toEqual(recent);
  });

  test('pages of 64 KiB are seen as such', () => {
    const lines = sampleOf('6.1', 'global', sampleTasks).lines.map((line) =>
      line.replace(/total-vm:(\d+)kB/, (_whole, kib: string) => `total-vm:${Number(kib) * 16}kB`),
    );
    const [finding] = scanned(`${lines.join('\n')}\n`);
    expect(finding?.kind === 'oom' && analyseOom(finding.report).pageKib).toBe(64);
  });
});

describe('reasons', () => {
  test('the highest badness, and who would have been next', () => {
    const { reasons } = analyseOom(report('6.18', 'cgroup'));
    expect(reasons[0]).toContain('it had the highest badness');
    expect(reasons[1]).toContain('next was pid 30187 (Web Content)');
  });

  test('a child in place of the chosen', () => {
    const lines = sampleOf('4.15', 'global', sampleTasks).lines.map((line) =>
      line.startsWith('Killed process') ? line.replace('5451 (mystery001)', '30187 (Web Content)') : line,
    );
    const [finding] = scanned(`${lines.join('\n')}\n`);
    if (finding?.kind !== 'oom') throw new Error('there is a report');
    expect(analyseOom(finding.report).reasons.join()).toContain('a child of it was killed in its place');
  });

  test.each([
    ['allocating-task', 'vm.oom_kill_allocating_task'],
    ['sysrq', 'SysRq-f'],
    ['group', 'memory.oom.group is set: all 5 processes'],
  ] as const)('%s', (way, words) => {
    expect(analyseOom(report('6.1', way)).reasons[0]).toContain(words);
  });
});

test('Linux 5.4 calls bytes kB', () => {
  for (const kernel of ['5.4', '5.15'] as const) {
    const { victims, tasks } = report(kernel, 'global');
    const [victim] = victims;
    expect(victim === undefined ? undefined : victimPageTablesKib(victim, tasks)).toBe(160);
  }
});
