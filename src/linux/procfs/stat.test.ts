import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { bootTimeMs, startTimeMs, ticksPerSecond } from '../clock.ts';
import { sendSignal } from '../pidfd.ts';
import { eventually, start, startFamily, startSleep } from '../test-support/processes.ts';
import { readComm } from './comm.ts';
import { listPids } from './process-list.ts';
import { isKernelThread, parseStat, readStat } from './stat.ts';

/** Fields 4 to 52, each with its own number as value, so that a field read from the wrong place shows. */
const numbered = Array.from({ length: 49 }, (_, index) => index + 4);

function line(comm: Uint8Array, fields: readonly (number | bigint)[] = numbered): Buffer {
  return Buffer.concat([Buffer.from('123 ('), comm, Buffer.from(`) S ${fields.join(' ')}\n`)]);
}

describe('parseStat', () => {
  test('every field from its place', () => {
    expect(parseStat(line(Buffer.from('nginx')))).toEqual({
      pid: 123,
      comm: 'nginx',
      state: 'S',
      ppid: 4,
      pgrp: 5,
      session: 6,
      ttyNr: 7,
      flags: 9,
      numThreads: 20,
      startTimeTicks: 22,
      exitCode: 52,
    });
  });

  test('whatever bytes the process chose as its name', () => {
    const anyByte = fc.uint8Array({ maxLength: 64 });
    const nasty = fc
      .array(fc.constantFrom(...Buffer.from(') (S1\n\t-')), { maxLength: 15 })
      .map((bytes) => Buffer.from(bytes));
    fc.assert(
      fc.property(fc.oneof(anyByte, nasty), (comm) => {
        const stat = parseStat(line(comm));
        expect(stat).toMatchObject({ pid: 123, state: 'S', ppid: 4, startTimeTicks: 22, exitCode: 52 });
        expect(stat.comm).toBe(Buffer.from(comm).toString('utf8'));
      }),
    );
  });

  test('negative numbers, and numbers beyond 2^53 in fields that are not used', () => {
    const fields: (number | bigint)[] = [...numbered];
    fields[7 - 4] = -1;
    fields[8 - 4] = -1;
    fields[25 - 4] = 18446744073709551615n;
    expect(parseStat(line(Buffer.from('a'), fields))).toMatchObject({ ttyNr: -1, flags: 9, exitCode: 52 });
  });

  test('fields that later kernels add are passed over', () => {
    expect(parseStat(line(Buffer.from('a'), [...numbered, 53, 54])).exitCode).toBe(52);
  });

  test.each(['', '\n', '12', '12 (a', '12 (a)', '12 (a) S', '12 (a) S 1 2 3\n', ') 12 ( S 1', '12 (a) S x y z'])(
    '%j is refused',
    (text) => {
      expect(() => parseStat(Buffer.from(text))).toThrow(expect.objectContaining({ code: 'HOST_UNSUPPORTED' }));
    },
  );

  test('a truncated line is refused, not guessed at', () => {
    const whole = line(Buffer.from('a'));
    for (let length = 0; length < whole.length - 3; length += 1) {
      expect(() => parseStat(whole.subarray(0, length))).toThrow(/a format that is not known/);
    }
  });
});

describe('readStat', () => {
  test('this very process', () => {
    const stat = readStat(process.pid);
    expect(stat).toMatchObject({ pid: process.pid, ppid: process.ppid });
    expect(readStat('self')).toMatchObject({ pid: process.pid, startTimeTicks: stat?.startTimeTicks });
    expect(stat === undefined || isKernelThread(stat)).toBe(false);
  });

  test('a new process started between the moments before and after', async () => {
    const tickMs = 1000 / ticksPerSecond();
    const before = bootTimeMs();
    const { pid } = await startSleep();
    const after = bootTimeMs();
    const stat = readStat(pid);
    if (stat === undefined) throw new Error('gone');
    expect(stat).toMatchObject({ comm: 'sleep', ppid: process.pid });
    expect(startTimeMs(stat)).toBeGreaterThan(before - tickMs);
    expect(startTimeMs(stat)).toBeLessThanOrEqual(after);
  });

  test.each(['a) S 1 (b', ') R 99 98', '((((', 'tab\there', 'new\nline', 'ünïcödé', ''])(
    'a process that calls itself %j',
    async (name) => {
      const pid = await startNamed(Buffer.from(name));
      expect(readStat(pid)).toMatchObject({ pid, comm: name, ppid: process.pid });
      expect(readComm(pid)).toBe(name);
    },
  );

  test('a name that is no UTF-8', async () => {
    const pid = await startNamed(Buffer.from([0x61, 0xff, 0x62]));
    expect(readStat(pid)?.comm).toBe('a\u{fffd}b');
    expect(readComm(pid)).toBe('a\u{fffd}b');
  });

  test('states: sleeping, stopped, zombie', async () => {
    const { grandchild } = await startFamily('sleep 1000 & echo $!; exec sleep 1000');
    const { pid } = grandchild;
    await eventually(() => readStat(pid)?.state === 'S');
    sendSignal(grandchild, 19);
    await eventually(() => readStat(pid)?.state === 'T');
    sendSignal(grandchild, 9);
    await eventually(() => readStat(pid)?.state === 'Z');
    expect(readStat(pid)?.exitCode).toBe(9);
  });

  test('undefined when there is no such process', () => {
    expect(readStat(2 ** 31 - 1)).toBeUndefined();
    expect(readComm(2 ** 31 - 1)).toBeUndefined();
  });

  test('processes may come and go while they are read', async () => {
    await start('sh', ['-c', 'while :; do /bin/true; done']);
    const seen = new Set<number>();
    let vanished = 0;
    await eventually(() => {
      for (const pid of listPids()) {
        const stat = readStat(pid);
        vanished += stat === undefined ? 1 : 0;
        expect(stat?.pid ?? pid).toBe(pid);
        seen.add(pid);
      }
      return vanished > 0 && seen.size > listPids().length + 20;
    });
  });
});

/** A process that gives itself a name of arbitrary bytes: what it writes to its own comm is what prctl(2) would set. */
async function startNamed(name: Uint8Array): Promise<number> {
  const octal = [...name, 0].map((byte) => `\\${byte.toString(8).padStart(3, '0')}`).join('');
  const { pid } = await start('sh', ['-c', `printf '${octal}' > /proc/self/comm; kill -STOP $$`]);
  await eventually(() => readStat(pid)?.state === 'T');
  return pid;
}
