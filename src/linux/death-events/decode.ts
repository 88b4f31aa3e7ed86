import { ticksPerSecond } from '../clock.ts';
import { parseCmdline } from '../procfs/cmdline.ts';
import type { CgroupNames } from './cgroup-names.ts';
import type { NamespacePid, SeenDeath, SeenExec, SeenOom, SeenProcess, SeenSignal } from './event.ts';
import { argsAt, CgroupField, cgroupNameBytes, commBytes, oomAt, OomField, ProcessField } from './record.ts';
import { mostNamespaces, namespaceBytes, NamespaceField, namespacesAt, signalAt, SignalField } from './record.ts';

/*
 * Records of the kernel's programs as plain data.
 */

function textAt(record: Buffer, at: number, bytes: number): string {
  const end = record.indexOf(0, at);
  return record.toString('utf8', at, end === -1 || end > at + bytes ? at + bytes : end);
}

const millis = (nanoseconds: bigint): number => Number(nanoseconds) / 1e6;

/** What the kernel shows in clock ticks is rounded down: nsec_to_clock_t. */
function ticksOf(nanoseconds: bigint): number {
  return Number(nanoseconds / (1_000_000_000n / BigInt(ticksPerSecond())));
}

function argvOf(record: Buffer, at: number): readonly string[] | null {
  const length = record.readUInt32LE(ProcessField.argLength);
  return length === 0 ? null : parseCmdline(record.subarray(at, at + length));
}

/** A namespace whose number the kernel did not tell has the number zero. */
function namespacesOf(record: Buffer): readonly NamespacePid[] {
  const count = Math.min(record.readUInt32LE(ProcessField.nsLevel), mostNamespaces);
  return Array.from({ length: count }, (_, inward) => {
    const at = namespacesAt + inward * namespaceBytes;
    return {
      namespace: record.readUInt32LE(at + NamespaceField.namespace),
      pid: record.readUInt32LE(at + NamespaceField.pid),
    };
  });
}

function processOf(record: Buffer, names: CgroupNames, args: number): SeenProcess {
  const u32 = (at: number): number => record.readUInt32LE(at);
  const namespaces = namespacesOf(record);
  return {
    atMs: millis(record.readBigUInt64LE(ProcessField.now)),
    pid: u32(ProcessField.tgid),
    nsPid: namespaces[0]?.pid ?? null,
    namespaces: namespaces.filter(({ namespace }) => namespace !== 0),
    ppid: u32(ProcessField.ppid),
    name: textAt(record, ProcessField.comm, commBytes),
    uid: u32(ProcessField.uid),
    cgroup: names.pathOf(record.readBigUInt64LE(ProcessField.cgroup)),
    startTimeTicks: ticksOf(record.readBigUInt64LE(ProcessField.startBootTime)),
    argv: argvOf(record, args),
  };
}

/** Who sent the signal; what is kept of an earlier process of the same PID is none. */
function signalOf(record: Buffer, names: CgroupNames): SeenSignal | null {
  const at = (field: keyof typeof SignalField): number => signalAt + SignalField[field];
  const signal = record.readUInt32LE(at('signal'));
  const isItsOwn = record.readBigUInt64LE(at('targetStart')) === record.readBigUInt64LE(ProcessField.startBootTime);
  if (signal === 0 || !isItsOwn) return null;
  return {
    signal,
    code: record.readInt32LE(at('code')),
    beforeMs: millis(record.readBigUInt64LE(ProcessField.now) - record.readBigUInt64LE(at('time'))),
    pid: record.readUInt32LE(at('tgid')),
    name: textAt(record, at('comm'), commBytes),
    uid: record.readUInt32LE(at('uid')),
    cgroup: names.pathOf(record.readBigUInt64LE(at('cgroup'))),
  };
}

/** A counter that each processor keeps a part of may be a little below zero. */
const pagesAt = (record: Buffer, at: number): number => Math.max(0, Number(record.readBigInt64LE(at)));

/**
 * What the OOM killer marked a process with.
 *
 * @param base where it is in the record
 * @param startMs when the process began, CLOCK_MONOTONIC: what is kept of an earlier one of the same PID is none
 */
export function decodeMark(record: Buffer, base: number, startMs: number): SeenOom | null {
  const at = (field: keyof typeof OomField): number => base + OomField[field];
  if (millis(record.readBigUInt64LE(at('time'))) < startMs) return null;
  const pages = (field: keyof typeof OomField): number | null =>
    record.readUInt32LE(at('hasSizes')) === 0 ? null : pagesAt(record, at(field));
  const totalVm = pagesAt(record, at('totalVm'));
  return {
    totalVmPages: totalVm === 0 ? null : totalVm,
    anonRssPages: pages('anon'),
    fileRssPages: pages('file'),
    shmemRssPages: pages('shmem'),
    oomScoreAdj: totalVm === 0 ? null : record.readInt16LE(at('scoreAdj')),
  };
}

export function decodeDeath(record: Buffer, names: CgroupNames): SeenDeath {
  const seen = processOf(record, names, argsAt.death);
  const startMs = millis(record.readBigUInt64LE(ProcessField.startTime));
  return {
    kind: 'death',
    ...seen,
    status: record.readUInt32LE(ProcessField.status),
    ageMs: seen.atMs - startMs,
    signal: signalOf(record, names),
    oom: decodeMark(record, oomAt, startMs),
  };
}

export function decodeExec(record: Buffer, names: CgroupNames): SeenExec {
  return { kind: 'exec', ...processOf(record, names, argsAt.exec) };
}

export function decodeCgroup(record: Buffer, names: CgroupNames): void {
  names.tell(record.readBigUInt64LE(CgroupField.id), {
    parent: record.readBigUInt64LE(CgroupField.parent),
    name: textAt(record, CgroupField.name, cgroupNameBytes),
  });
}
