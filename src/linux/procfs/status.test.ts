import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { sendSignal } from '../pidfd.ts';
import { eventually, hold, start, startSleep } from '../test-support/processes.ts';
import { readStat } from './stat.ts';
import { parseStatus, readStatus, signalDisposition } from './status.ts';

const SIGUSR1 = 10;
const SIGUSR2 = 12;
const SIGTERM = 15;
const SIGSTOP = 19;
const SIGRTMAX = 64;

const sample = [
  'Name:\tx\\nUid:\\t7\\t7\\t7\\t7',
  'State:\tS (sleeping)',
  'Tgid:\t42',
  'Pid:\t43',
  'PPid:\t7',
  'TracerPid:\t9',
  'Uid:\t1000\t1001\t1002\t1003',
  'Gid:\t2000\t2001\t2002\t2003',
  'NStgid:\t42\t1',
  'NSpid:\t43\t2',
  'Threads:\t3',
  'SigQ:\t1/62801',
  'SigPnd:\t0000000000000200',
  'ShdPnd:\t0000000000000800',
  'SigBlk:\t8000000000000001',
  'SigIgn:\t0000000000001000',
  'SigCgt:\t0000000180004a02',
  'CapEff:\t000001ffffffffff',
  '',
].join('\n');

describe('parseStatus', () => {
  test('every field from its place', () => {
    expect(parseStatus(Buffer.from(sample))).toEqual({
      tgid: 42,
      ppid: 7,
      tracerPid: 9,
      realUid: 1000,
      effectiveUid: 1001,
      realGid: 2000,
      effectiveGid: 2001,
      threads: 3,
      nsPids: [43, 2],
      pending: 0x200n,
      sharedPending: 0x800n,
      blocked: 0x8000000000000001n,
      ignored: 0x1000n,
      caught: 0x180004a02n,
      effectiveCapabilities: 0x1ffffffffffn,
    });
  });

  test('the first line is a field too, and the last needs no newline', () => {
    const status = parseStatus(Buffer.from(sample.slice(sample.indexOf('Tgid'), -1)));
    expect(status).toMatchObject({ tgid: 42, effectiveCapabilities: 0x1ffffffffffn });
  });

  test('kernels without NSpid', () => {
    expect(parseStatus(Buffer.from(sample.replace(/^NSpid.*\n/m, ''))).nsPids).toEqual([]);
  });

  test('a missing field is named', () => {
    expect(() => parseStatus(Buffer.from(sample.replace(/^SigBlk.*\n/m, '')))).toThrow(
      expect.objectContaining({ code: 'HOST_UNSUPPORTED', message: expect.stringContaining('SigBlk') }),
    );
  });
});

test('this very process', () => {
  const status = readStatus('self');
  expect(status).toMatchObject({
    tgid: process.pid,
    ppid: process.ppid,
    tracerPid: 0,
    realUid: process.getuid?.(),
    effectiveUid: process.geteuid?.(),
    realGid: process.getgid?.(),
    effectiveGid: process.getegid?.(),
  });
  expect(status?.nsPids.at(-1)).toBeGreaterThan(0);
  expect(readFileSync('/proc/self/status', 'utf8')).toContain(
    `CapEff:\t${status?.effectiveCapabilities.toString(16).padStart(16, '0')}`,
  );
});

test('a process that catches one signal, ignores another and leaves a third alone', async () => {
  const { pid } = await start('sh', ['-c', 'trap : USR1; trap "" USR2; kill -STOP $$; read line']);
  await eventually(() => {
    const status = readStatus(pid);
    return status !== undefined && signalDisposition(status, SIGUSR2).ignored;
  });
  const status = readStatus(pid);
  if (status === undefined) throw new Error('gone');
  expect(signalDisposition(status, SIGUSR1)).toEqual({ pending: false, blocked: false, ignored: false, caught: true });
  expect(signalDisposition(status, SIGUSR2)).toEqual({ pending: false, blocked: false, ignored: true, caught: false });
  expect(signalDisposition(status, SIGTERM)).toEqual({ pending: false, blocked: false, ignored: false, caught: false });
});

test('a signal that waits for a stopped process is pending', async () => {
  const { pid } = await startSleep();
  const pidfd = hold(pid);
  sendSignal(pidfd, SIGSTOP);
  // Until it stands still it takes what comes, lower numbers first.
  await eventually(() => readStat(pid)?.state === 'T');
  sendSignal(pidfd, SIGTERM);
  sendSignal(pidfd, SIGRTMAX);
  const status = readStatus(pid);
  if (status === undefined) throw new Error('gone');
  expect(signalDisposition(status, SIGTERM).pending).toBe(true);
  expect(signalDisposition(status, SIGRTMAX).pending).toBe(true);
  expect(signalDisposition(status, SIGUSR1).pending).toBe(false);
});

test('undefined when there is no such process', () => {
  expect(readStatus(2 ** 31 - 1)).toBeUndefined();
});
