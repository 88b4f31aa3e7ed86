import { describe, expect, test } from 'vitest';
import { type Random, seededRandom } from '../../base/random.ts';
import { allSamples, type Sample, sampleOf, sampleTasks, wrappings } from '../test-support/samples.ts';
import { scanned } from '../test-support/scanned.ts';
import type { OomReport } from './oom-report.ts';
import type { Finding } from './scan.ts';

const samples = allSamples();

function reportsIn(findings: readonly Finding[]): readonly OomReport[] {
  return findings.flatMap((finding) => (finding.kind === 'oom' ? [finding.report] : []));
}

function wrap({ lines }: Sample, wrapping: string): string {
  const write = wrappings[wrapping];
  if (write === undefined) throw new Error(`no wrapping ${wrapping}`);
  return `${lines.map(write).join('\n')}\n`;
}

/** Everybody whom a report calls a victim, by whichever line. */
function blamed(report: OomReport): readonly number[] {
  const { victims, supposed } = report;
  return [...victims, ...(supposed === null ? [] : [supposed])].map(({ pid }) => pid);
}

const noise = [
  'usb 1-1: new high-speed USB device number 4 using xhci_hcd',
  'docker0: port 1(veth1234567) entered blocking state',
  'node[42]: segfault at 0 ip 00007f1 sp 00007ffd error 4 in libc.so.6[7f00+1a0]',
  'e1000e 0000:00:1f.6 eth0: NIC Link is Up 1000 Mbps Full Duplex',
];

/** What a program writes to a log, dressed up as the kernel's words. */
const forgeries = [
  'Nov 21 21:30:00 web-1 evil[77]: Out of memory: Killed process 1 (init) total-vm:1kB, anon-rss:1kB, file-rss:1kB',
  '12,1000,99000000,-;Out of memory: Killed process 1 (init) total-vm:1kB, anon-rss:1kB, file-rss:1kB, shmem-rss:0kB',
  JSON.stringify({
    _TRANSPORT: 'syslog',
    SYSLOG_IDENTIFIER: 'kernel',
    MESSAGE: 'oom-kill:constraint=CONSTRAINT_NONE,nodemask=(null),global_oom,task=init,pid=1,uid=0',
  }),
];

test('there are logs of many kernels, of every kind', () => {
  expect(samples.length * Object.keys(wrappings).length).toBeGreaterThan(1_000);
});

describe.each(Object.keys(wrappings))('kept as %s', (wrapping) => {
  test.each(samples.map((sample) => [sample.name, sample] as const))('Linux %s', (_name, sample) => {
    const reports = reportsIn(scanned(wrap(sample, wrapping)));
    expect(reports).toHaveLength(1);
    const [report] = reports;
    expect(report?.victims.map(({ pid, name }) => [pid, name])).toEqual(
      sample.victims.map(({ pid, name }) => [pid, name]),
    );
    expect(
      report?.tasks.map(({ pid, rssPages, swapPages, oomScoreAdj }) => [pid, rssPages, swapPages, oomScoreAdj]),
    ).toEqual(sampleTasks.toSorted((a, b) => a.pid - b.pid).map(({ pid, rss, swap, adj }) => [pid, rss, swap, adj]));
    expect(report?.trigger).toMatchObject({ name: 'Web Content', pid: 30_187 });
    expect(report?.doubts).toEqual([]);
    expect(report?.kernelRelease).toBe(`${sample.kernel}.0-21-generic`);
  });
});

test.each(samples.map((sample) => [sample.name, sample] as const))('how and where: Linux %s', (_name, sample) => {
  const [report] = reportsIn(scanned(wrap(sample, 'dmesg')));
  const { way, kernel } = sample;
  const expected = { 'allocating-task': 'allocating-task', sysrq: 'sysrq', group: 'group', panic: 'panic' } as const;
  expect(report?.how).toBe(way in expected ? expected[way as keyof typeof expected] : 'chosen');
  const ofCgroup = way === 'cgroup' || way === 'group';
  if (ofCgroup) expect(report).toMatchObject({ scope: 'cgroup', limitCgroup: '/box' });
  else if (!kernel.startsWith('4') && way !== 'panic') {
    expect(report?.scope).toBe(way === 'cpuset' || way === 'mempolicy' ? way : 'global');
  }
});

test('however a log is cut into pieces, it tells the same', () => {
  const log = samples
    .slice(0, 30)
    .map((sample) => wrap(sample, 'syslog'))
    .join('');
  const whole = scanned(log);
  for (const size of [1, 7, 100, 4096]) expect(scanned(log, size)).toEqual(whole);
  expect(scanned(log.replaceAll('\n', '\r\n'))).toEqual(whole);
});

test('logs of several hosts in one, line by line', () => {
  const [one, two] = [samples[1], samples.at(-2)];
  if (one === undefined || two === undefined) throw new Error('there are samples');
  const first = one.lines.map((line) => `Nov  1 01:02:03 web-1 kernel: ${line}`);
  const second = two.lines.map((line) => `Nov  1 01:02:03 web-2 kernel: ${line}`);
  const mixed = Array.from({ length: Math.max(first.length, second.length) }, (_, index) => [
    first[index],
    second[index],
  ]);
  const reports = reportsIn(
    scanned(
      mixed
        .flat()
        .filter((line) => line !== undefined)
        .join('\n'),
    ),
  );
  const byHost = new Map(reports.map((report) => [report.host, report]));
  expect(byHost.get('web-1')?.victims.map(({ pid }) => pid)).toEqual(one.victims.map(({ pid }) => pid));
  expect(byHost.get('web-2')?.victims.map(({ pid }) => pid)).toEqual(two.victims.map(({ pid }) => pid));
});

test('what a program writes into the log is not believed', () => {
  for (const line of forgeries) expect(reportsIn(scanned(`${line}\n`))).toEqual([]);
});

test('a name that looks like a part of a line changes nobody else’s fate', () => {
  const names = [
    ',pid=1,uid=0',
    ') total-vm:1kB',
    'a (b) score 9',
    '[ 1] 0 1 1 1 1',
    'x: Killed',
    '',
    '\u00e4\u00f6 \u{1f600}',
  ];
  for (const name of names) {
    const [victim, ...rest] = sampleTasks;
    if (victim === undefined) throw new Error('there are tasks');
    for (const sample of allSamples([{ ...victim, name }, ...rest])) {
      const [report] = reportsIn(scanned(wrap(sample, 'dmesg')));
      expect(blamed(report as OomReport).every((pid) => sample.victims.some((one) => one.pid === pid))).toBe(true);
    }
  }
});

/** One of them, each as likely as the others. */
function oneOf<Item>(items: readonly Item[], random: Random): Item {
  const [item] = random.sample(items, 1);
  if (item === undefined) throw new Error('there is none');
  return item;
}

/** Changes to a log such as happen to logs: lost, cut, repeated and mixed lines, bytes that are no text. */
function damaged(text: string, random: Random): Uint8Array {
  const lines = text.split('\n');
  const some = (percent: number): boolean => random.integer(1, 100) <= percent;
  const kept = lines
    .filter(() => !some(15))
    .flatMap((line) => {
      const cut = some(10) ? line.slice(0, random.integer(0, line.length)) : line;
      const before = some(10) ? [oneOf(noise, random)] : [];
      const forged = some(3) ? [oneOf(forgeries, random)] : [];
      return [...before, ...forged, cut, ...(some(5) ? [cut] : [])];
    });
  const bytes = Buffer.from(kept.join('\n'));
  if (some(30)) return bytes.subarray(0, random.integer(0, bytes.length));
  if (some(30)) return Buffer.concat([bytes, Buffer.from([0xff, 0xfe, 0, 0x1b, 0x0a]), bytes]);
  return bytes;
}

test('damaged logs: parsed or left alone, never a crash, never a wrong victim', () => {
  const random = seededRandom('damaged logs');
  const kinds = Object.keys(wrappings);
  for (const sample of samples) {
    const truth = new Set(sample.victims.map(({ pid }) => pid));
    for (let round = 0; round < 20; round++) {
      const log = damaged(wrap(sample, oneOf(kinds, random)), random);
      for (const report of reportsIn(scanned(log))) {
        expect(
          blamed(report).filter((pid) => !truth.has(pid)),
          Buffer.from(log).toString('latin1'),
        ).toEqual([]);
      }
    }
  }
});

test('any bytes are read without a crash', () => {
  const random = seededRandom('any bytes');
  const [sample] = samples;
  const text = Buffer.from(sample === undefined ? '' : wrap(sample, 'dmesg'));
  for (let round = 0; round < 300; round++) {
    const bytes = Buffer.from(text);
    for (let flips = 0; flips < 30; flips++) {
      bytes[random.integer(0, bytes.length - 1)] = random.integer(0, 255);
    }
    expect(() => scanned(bytes, 997)).not.toThrow();
  }
});

test('a line without an end does not fill the memory', () => {
  const endless = Buffer.alloc(5 << 20, 'oom-kill');
  expect(scanned(endless, 1 << 16)).toEqual([]);
});

test('the end of a line that is too long is no line of its own, wherever it is cut', () => {
  const forged = 'Out of memory: Killed process 1 (init) total-vm:1kB, anon-rss:1kB, file-rss:1kB, shmem-rss:0kB';
  const before = `Nov 21 21:30:00 web-1 app[7]: ${'x'.repeat(100_000)}`;
  const log = `${before}${forged}\n[1.000000] ${forged.replace('1 (init)', '77 (nginx)')}\n`;
  for (const size of [before.length, 50_000, 4096, 1 << 20]) {
    expect(reportsIn(scanned(log, size)).flatMap(blamed)).toEqual([77]);
  }
});

/** What a process may call itself: 15 bytes at most, and of the bytes that the kernel writes as they are. */
function anyName(random: Random): string {
  const letters = 'a Z 0 9 ( ) [ ] , : = . / - _ < > # % &'.split(' ');
  const pieces = [...letters, ' ', '),', ' (', ', ', ',pid=', 'total-vm:', 'kB', '名', 'é', 'Killed'];
  let name = '';
  for (let length = random.integer(0, 8); length > 0; length--) name += oneOf(pieces, random);
  while (Buffer.byteLength(name) > 15) name = name.slice(0, -1);
  return name;
}

test('what a kernel writes of processes of any name, number and size is read back as it was', () => {
  const random = seededRandom('any processes');
  const kinds = Object.keys(wrappings);
  const size = (): number => random.integer(0, 2 ** random.integer(1, 31));
  for (let round = 0; round < 300; round++) {
    const tasks = Array.from({ length: random.integer(2, 6) }, (_, index) => ({
      // Each its own.
      pid: random.integer(1, 600_000) * 6 + index,
      name: anyName(random),
      uid: oneOf([0, 1000, 65_534, 4_294_967_294], random),
      rss: 3 + size(),
      swap: size(),
      tables: 3 + random.integer(0, 10_000),
      adj: random.integer(-1000, 1000),
    }));
    const { kernel, way } = oneOf(samples, random);
    const sample = sampleOf(kernel, way, tasks);
    const log = wrap(sample, oneOf(kinds, random));
    const [report, ...more] = reportsIn(scanned(log));
    expect(more, log).toEqual([]);
    const named = (one: { readonly pid: number; readonly name: string }) => [one.pid, one.name];
    expect(report?.victims.map(named), log).toEqual(sample.victims.map(named));
    expect(report?.tasks.map(named), log).toEqual(tasks.toSorted((a, b) => a.pid - b.pid).map(named));
    expect(report?.doubts, log).toEqual([]);
  }
});
