import { execFileSync } from 'node:child_process';
import { closeSync, mkdtempSync, openSync, rmSync, statSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { readLogFile } from '../src/forensics/read-log.ts';
import { sampleOf, sampleTasks, wrappings } from '../src/forensics/test-support/samples.ts';
import { type Figure, median, timeEach } from './figure.ts';

/*
 * How long the detective needs: the start of `why 137` beside a bare Node.js, and a kernel log of 100 MB beside GNU
 * grep with such words, on the same file, in the same run.
 */

const command = path.resolve(import.meta.dirname, '../dist/faultline.js');
const logBytes = 100_000_000;

const noise = [
  'usb 1-1: new high-speed USB device number 4 using xhci_hcd',
  'e1000e 0000:00:1f.6 eth0: NIC Link is Up 1000 Mbps Full Duplex, Flow Control: Rx/Tx',
  'audit: type=1400 audit(1700000000.123:45): apparmor="ALLOWED" operation="open" profile="snap" pid=1234 comm="snapd"',
  'EXT4-fs (sda1): mounted filesystem with ordered data mode. Opts: (null)',
  '[UFW BLOCK] IN=eth0 OUT= MAC=00:11:22 SRC=10.0.0.1 DST=10.0.0.2 LEN=40 TTL=244 PROTO=TCP SPT=443 DPT=58080 SYN',
  'docker0: port 1(veth1234567) entered blocking state',
];

/** A kernel log of a busy host: every `every` lines the OOM killer visits, with a table of two hundred tasks. */
function writeLog(file: string, every: number): void {
  const tasks = Array.from({ length: 200 }, (_, index) => ({
    ...sampleTasks[0],
    pid: 1000 + index,
    name: `task-${index}`,
  }));
  const report = sampleOf('6.1', 'cgroup', tasks as typeof sampleTasks).lines;
  const write = wrappings['dmesg'] ?? ((line: string) => line);
  const fd = openSync(file, 'w');
  let bytes = 0;
  for (let index = 0; bytes < logBytes; ) {
    const lines: string[] = [];
    for (let line = 0; line < every; line++) lines.push(write(noise[line % noise.length] ?? '', index++));
    for (const line of report) lines.push(write(line, index++));
    bytes += writeSync(fd, `${lines.join('\n')}\n`);
  }
  closeSync(fd);
}

function grep(file: string): void {
  const words = 'oom-kill|oom_reaper|ut of memory|illed process|segfault at|traps: |blocked for more|core dumped';
  // Not to /dev/null: grep would stop at the first match.
  execFileSync('grep', ['-c', '-E', words, file], { stdio: ['ignore', 'pipe', 'ignore'] });
}

async function throughput(file: string): Promise<number> {
  const begin = performance.now();
  const { bytes } = await readLogFile(file);
  return bytes / 1e6 / ((performance.now() - begin) / 1000);
}

async function logFigures(folder: string, runs: number): Promise<readonly Figure[]> {
  const figures: Figure[] = [];
  for (const [what, every] of [
    ['a report in 20,000 lines', 20_000],
    ['nothing but reports', 0],
  ] as const) {
    const file = path.join(folder, 'kern.log');
    writeLog(file, every);
    const speeds: number[] = [];
    for (let run = 0; run < runs; run++) speeds.push(await throughput(file));
    const grepMs = median(timeEach(runs, () => grep(file)));
    const whole = median(
      timeEach(runs, () => execFileSync(process.execPath, [command, 'why', '--log', file], { stdio: 'ignore' })),
    );
    const megabytes = statSync(file).size / 1e6;
    const bound = every > 0 ? { bound: '≥ 100 MB/s' } : {};
    figures.push(
      { name: `100 MB of kernel log, ${what}: parsed`, value: median(speeds), unit: 'MB/s', ...bound },
      { name: `100 MB of kernel log, ${what}: the whole command`, value: megabytes / (whole / 1000), unit: 'MB/s' },
      { name: `100 MB of kernel log, ${what}: grep -c -E`, value: megabytes / (grepMs / 1000), unit: 'MB/s' },
    );
  }
  return figures;
}

/** @param runs how many pairs of commands are timed */
export async function run(runs: number): Promise<readonly Figure[]> {
  const folder = mkdtempSync(path.join(tmpdir(), 'faultline-bench-'));
  try {
    const bare: number[] = [];
    const why: number[] = [];
    for (let pair = 0; pair < runs; pair++) {
      bare.push(...timeEach(1, () => execFileSync(process.execPath, ['-e', '0'], { stdio: 'ignore' })));
      why.push(...timeEach(1, () => execFileSync(process.execPath, [command, 'why', '137'], { stdio: 'ignore' })));
    }
    return [
      { name: 'node -e 0', value: median(bare), unit: 'ms' },
      { name: 'why 137', value: median(why), unit: 'ms' },
      { name: 'why 137 ÷ bare node', value: median(why) / median(bare), unit: '×', bound: '≤ 1.6 ×' },
      ...(await logFigures(folder, Math.min(runs, 5))),
    ];
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
