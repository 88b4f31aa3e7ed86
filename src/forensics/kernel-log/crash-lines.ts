/*
 * What the kernel writes when a program faults or hangs: arch/x86/mm/fault.c and kernel/traps.c, arch/arm64/kernel/
 * traps.c, kernel/hung_task.c, mm/memory-failure.c, and the records of the audit subsystem (types 1701 and 1326).
 */

import { pattern } from './pattern.ts';

export interface Crash {
  readonly pid: number;
  readonly name: string;
  /** The signal that the program gets for it; null for a task that hangs, which gets none. */
  readonly signal: number | null;
  /** `segmentation fault at address 0x0` */
  readonly what: string;
  /** The file that was executed there, with the offset in it, as far as the line says. */
  readonly where: string | null;
}

const who = String.raw`^([^]{0,60})\[(\d+)\]: `;
const inFile = String.raw`(?: in ([^]*?)\[([0-9a-f,+]+)\])?`;
const segfault = new RegExp(
  String.raw`${who}segfault at ([0-9a-f]+) ip +(\S+) sp +\S+ error ([0-9a-f]+)${inFile}(?: likely on CPU .*)?\s*$`,
);
const trap = pattern(
  String.raw`^traps: ([^]{0,60})\[(\d+)\] ((?:trap )?[a-z][a-z0-9 ]*?) ip:([0-9a-f]+) sp:[0-9a-f]+ `,
  String.raw`error:[0-9a-f]+(?:\([a-z ]*\))?${inFile}\s*$`,
);
const unhandled = new RegExp(
  String.raw`${who}unhandled (?:exception: )?([^]*?)(?: \((\d+)\) at 0x[0-9a-f]+)?, (?:ESR|esr) 0x`,
);
const hung = /^INFO: task ([^]{0,60}):(\d+) (?:is )?blocked (?:in I\/O wait )?for more than (\d+) seconds/;
const poisoned = pattern(
  '^(?:Memory failure: 0x[0-9a-f]+|MCE(?: 0x[0-9a-f]+)?): ',
  String.raw`Killing ([^]{0,60}):(\d+) due to hardware memory corruption`,
);
const audit = /^audit: type=(1701|1326) audit\([^)]*\):.* pid=(\d+) comm=("[^"]*"|[0-9A-F]+) .*\bsig=(\d+)/;

/** math_error() and its neighbours: which signal a trap becomes. */
const trapSignals: Readonly<Record<string, readonly [signal: number, what: string]>> = {
  'divide error': [8, 'integer division by zero (divide error)'],
  'invalid opcode': [4, 'illegal instruction (invalid opcode)'],
  int3: [5, 'breakpoint instruction (int3)'],
  'general protection': [11, 'general protection fault: a non-canonical or forbidden address'],
  'general protection fault': [11, 'general protection fault: a non-canonical or forbidden address'],
  'stack segment': [7, 'stack segment fault'],
  'segment not present': [7, 'segment not present'],
  'alignment check': [7, 'unaligned access (alignment check)'],
  'control protection': [11, 'control protection fault: a return address was changed'],
  bounds: [11, 'bounds exceeded'],
  overflow: [11, 'overflow trap'],
};

/** Bits of the page fault's error code: arch/x86/include/asm/trap_pf.h. */
function faultKind(error: number): string {
  if ((error & 16) !== 0) return 'executing';
  return (error & 2) === 0 ? 'reading' : 'writing';
}

function placeOf(file: string | undefined, map: string | undefined, address: string | undefined): string | null {
  if (file === undefined || map === undefined) return null;
  const [place = ''] = map.split('+');
  // Newer kernels print the offset in the file before the map: `[18a5f,7f…+195000]`.
  const [first = '', second] = place.split(',');
  if (second !== undefined) return `${file}+0x${first}`;
  const ip = Number.parseInt(address ?? '', 16);
  const start = Number.parseInt(first, 16);
  const known = Number.isSafeInteger(ip) && Number.isSafeInteger(start) && ip >= start;
  return known ? `${file}, 0x${(ip - start).toString(16)} into its map` : file;
}

function fromSegfault([, name = '', pid, address, ip, error = '0', file, map]: RegExpExecArray): Crash {
  const kind = faultKind(Number.parseInt(error, 16));
  const nearZero = Number.parseInt(address ?? '', 16) < 4096 ? ', a null pointer' : '';
  const what = `segmentation fault, ${kind} address 0x${address ?? ''}${nearZero}`;
  return { pid: Number(pid), name, signal: 11, what, where: placeOf(file, map, ip) };
}

function fromTrap([, name = '', pid, kind = '', ip, file, map]: RegExpExecArray): Crash {
  const [signal = null, what = kind] = trapSignals[kind.replace(/^trap /, '')] ?? [];
  return { pid: Number(pid), name, signal, what, where: placeOf(file, map, ip) };
}

function auditName(comm: string): string {
  return comm.startsWith('"') ? comm.slice(1, -1) : Buffer.from(comm, 'hex').toString('utf8');
}

function fromAudit([, type, pid, comm = '', sig]: RegExpExecArray): Crash | undefined {
  const what = type === '1701' ? 'ended abnormally (audit record)' : 'a system call that its seccomp filter forbids';
  const signal = Number(sig);
  // 0: the filter only logged it, or made the call fail.
  return signal === 0 ? undefined : { pid: Number(pid), name: auditName(comm), signal, what, where: null };
}

/** The fault or hang that a message of the kernel tells of; undefined when it tells of none. */
export function parseCrashLine(message: string): Crash | undefined {
  const fault = message.includes('segfault at') ? segfault.exec(message) : null;
  if (fault !== null) return fromSegfault(fault);
  const trapped = trap.exec(message);
  if (trapped !== null) return fromTrap(trapped);
  const other = message.includes('unhandled ') ? unhandled.exec(message) : null;
  if (other !== null) {
    const [, name = '', pid, what = '', signal] = other;
    return { pid: Number(pid), name, signal: signal === undefined ? null : Number(signal), what, where: null };
  }
  const stuck = hung.exec(message);
  if (stuck !== null) {
    const [, name = '', pid, seconds = ''] = stuck;
    return { pid: Number(pid), name, signal: null, what: `hangs: blocked for more than ${seconds} s`, where: null };
  }
  const memory = poisoned.exec(message);
  if (memory !== null) {
    const [, name = '', pid] = memory;
    return { pid: Number(pid), name, signal: 7, what: 'hardware memory corruption', where: null };
  }
  const audited = audit.exec(message);
  return audited === null ? undefined : fromAudit(audited);
}
