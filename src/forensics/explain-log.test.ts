import { describe, expect, test } from 'vitest';
import { explainLog } from './explain-log.ts';
import { scanned } from './test-support/scanned.ts';

/** The samples of "Linux forensics 101", in the chapter on which this command is built. */
const restarts = `
 [14658.582809] ERROR: FizzBuzz API instance exiting, exit code 143
 [14658.582809] Restarting
 [14658.582813] FizzBuzz API version 0.0.7 is up and running.
`;
const grepped = `
 [14658.582932] Out of memory: Kill process 5451 (mystery001) score 758 or sacrifice child
 [14658.582939] Killed process 5451 (mystery001) total-vm:3058268kB, anon-rss:3055776kB, file-rss:4kB, shmem-rss:0kB
 [14658.644154] oom_reaper: reaped process 5451 (mystery001), now anon-rss:0kB, file-rss:0kB, shmem-rss:0kB
`;
const table = `
 [14658.582809] Tasks state (memory values in pages):
 [14658.582809] [  pid  ]   uid  tgid total_vm   rss pgtables_bytes swapents oom_score_adj name
 [14658.582912] [   5451]  1000  5451 764567   763945  6164480        0             0 mystery001
${grepped}`;

const explain = (log: string, subject?: { readonly name: string } | { readonly pid: number }) =>
  explainLog('log', scanned(log), subject);

describe("the chapter's samples", () => {
  test('143 in the application log: somebody sent SIGTERM', () => {
    const { summary, causes } = explain(restarts);
    expect(summary).toBe('exit code 143 = 128 + 15: ended by signal 15, SIGTERM (terminated)');
    expect(causes[0]).toMatchObject({ id: 'signal-sent', likelihood: 'likely' });
    expect(causes[0]?.evidence[0]).toContain('FizzBuzz API instance exiting, exit code 143');
    expect(causes.map(({ id }) => id)).not.toContain('oom-killer');
  });

  test('what the shell prints for the first mystery', () => {
    const { summary, causes } = explain('Floating point exception (core dumped)\n');
    expect(summary).toContain('SIGFPE (floating point exception)');
    expect(causes[0]).toMatchObject({ id: 'own-fault', likelihood: 'likely' });
    expect(causes[0]?.evidence.join()).toContain('division by zero');
  });

  test('the lines that grep finds: who was killed, by whom, with how much memory', () => {
    const { causes, notes } = explain(grepped);
    expect(causes).toHaveLength(1);
    expect(causes[0]).toMatchObject({ id: 'oom-killer', likelihood: 'certain' });
    expect(causes[0]?.title).toBe('the OOM killer killed pid 5451 (mystery001): the host ran out of memory');
    expect(causes[0]?.evidence.join()).toContain('2984.2 MiB anonymous');
    expect(notes).toContain('its memory was freed at once (oom_reaper)');
  });

  test('the whole table: why that one, and how much memory the machine has, from the score alone', () => {
    const { causes, tables, facts } = explain(table);
    expect(causes).toHaveLength(1);
    expect(causes[0]?.evidence.join()).toContain('it had the highest badness: 2984.2 MiB resident');
    expect(tables?.[0]?.rows).toEqual([
      ['5451', 'mystery001', '1000', '2984.2 MiB', '0 MiB', '5.9 MiB', '0', '765450', 'killed'],
    ]);
    // top in the chapter says 3942.4 MiB; a score is thousandths, rounded down.
    const [report] = facts['oom'] as unknown as readonly [{ readonly analysis: { readonly totalKib: number } }];
    expect(Math.abs(report.analysis.totalKib / 1024 - 3942.4)).toBeLessThan(6);
  });

  test('asked about by name and by PID', () => {
    expect(explain(table, { name: 'mystery001' }).causes).toHaveLength(1);
    expect(explain(table, { pid: 5451 }).causes).toHaveLength(1);
    expect(explain(table, { name: 'mystery002' }).causes).toEqual([]);
    expect(explain(table, { pid: 5452 }).causes).toEqual([]);
  });
});

test('137 beside a kill of the OOM killer: that was it, likely', () => {
  const { causes } = explain(`${grepped}worker exited with code 137\n`);
  expect(causes[0]).toMatchObject({ id: 'oom-killer', likelihood: 'certain' });
  const half = causes.find(({ id, title }) => id === 'oom-killer' && title.includes('sent SIGKILL'));
  expect(half?.likelihood).toBe('likely');
});

test('the same end told many times is told once', () => {
  const { summary, causes } = explain('api exited with code 139\n'.repeat(50));
  expect(summary).toContain('SIGSEGV');
  expect(causes[0]?.evidence[0]).toContain('50 times');
});

test('a name longer than the kernel keeps is found by what it keeps', () => {
  const log = 'oom_reaper: reaped process 77 (systemd-journal), now anon-rss:0kB, file-rss:0kB, shmem-rss:0kB\n';
  expect(explain(log, { name: 'systemd-journald' }).causes).toHaveLength(1);
  expect(explain(log, { name: 'systemd' }).causes).toEqual([]);
});

test('a log that tells of no death', () => {
  expect(explain('all is well\n')).toMatchObject({ causes: [], summary: '' });
});
