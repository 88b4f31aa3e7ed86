import { FaultlineError } from '../../base/error.ts';
import { type ProcessRef, readProcessRecord } from './read.ts';

/** /proc/PID/stat, the fields that are used: proc_pid_stat(5), fs/proc/array.c. */
export interface ProcessStat {
  readonly pid: number;
  /** The kernel's name, at most 15 bytes for a program; see `readComm`. */
  readonly comm: string;
  /** One letter: R running, S sleeping, D disk sleep, T stopped, t traced, Z zombie, X dead, I idle kernel thread. */
  readonly state: string;
  readonly ppid: number;
  readonly pgrp: number;
  readonly session: number;
  /** Device number of the controlling terminal, 0 for none. */
  readonly ttyNr: number;
  /** PF_* of include/linux/sched.h. */
  readonly flags: number;
  readonly numThreads: number;
  /** When it started, in clock ticks since boot (`startTimeMs` converts). With the PID it names the process. */
  readonly startTimeTicks: number;
  /** The wait status of who has ended; 0 for whoever may not trace the process. */
  readonly exitCode: number;
}

/** Numbers of the fields as proc_pid_stat(5) counts them. */
const STATE = 3;
const PPID = 4;
const PGRP = 5;
const SESSION = 6;
const TTY_NR = 7;
const FLAGS = 9;
const NUM_THREADS = 20;
const START_TIME = 22;
const EXIT_CODE = 52;

/** A kernel thread: include/linux/sched.h. */
const PF_KTHREAD = 0x0020_0000;

const SPACE = 0x20;
const NEWLINE = 0x0a;
const MINUS = 0x2d;
const ZERO = 0x30;
const NINE = 0x39;
const OPEN = 0x28;
const CLOSE = 0x29;

/** Reads /proc/PID/stat; undefined when the process is gone. */
export function readStat(process: ProcessRef): ProcessStat | undefined {
  const bytes = readProcessRecord(process, 'stat');
  return bytes === undefined ? undefined : parseStat(bytes);
}

/** Is this a kernel thread? It has no memory of its own and heeds no signal. */
export function isKernelThread(stat: ProcessStat): boolean {
  return (stat.flags & PF_KTHREAD) !== 0;
}

/**
 * Has the thread that shows this state ended? `Z` waits for its parent; `X` (`x` before Linux 3.14) is being taken off
 * the list just then, which takes as long as the machine pleases. The state of a process is that of its main thread,
 * which may end before the others.
 */
export function isEndedState(state: string): boolean {
  return state === 'Z' || state === 'X' || state === 'x';
}

/** The numeric fields of the line that was parsed last, by their number: a slot each, so that nothing is allocated. */
const fields = new Float64Array(EXIT_CODE + 1);

/**
 * Parses /proc/PID/stat.
 *
 * The name in parentheses is the process's own choice and may hold parentheses, spaces and newlines; only the last
 * closing parenthesis ends it.
 *
 * @throws FaultlineError HOST_UNSUPPORTED: not the format of a kernel from 3.5 on
 */
export function parseStat(bytes: Uint8Array): ProcessStat {
  const line = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const open = line.indexOf(OPEN);
  const close = line.lastIndexOf(CLOSE);
  const stateAt = close + 2;
  if (open < 2 || close < open || parseFields(line, stateAt + 2) !== EXIT_CODE) {
    throw new FaultlineError('HOST_UNSUPPORTED', '/proc/PID/stat has a format that is not known');
  }
  return {
    pid: Number(line.toString('latin1', 0, open - 1)),
    comm: line.toString('utf8', open + 1, close),
    state: String.fromCharCode(line[stateAt] ?? 0),
    ppid: field(PPID),
    pgrp: field(PGRP),
    session: field(SESSION),
    ttyNr: field(TTY_NR),
    flags: field(FLAGS),
    numThreads: field(NUM_THREADS),
    startTimeTicks: field(START_TIME),
    exitCode: field(EXIT_CODE),
  };
}

function field(number: number): number {
  return fields[number] ?? 0;
}

/**
 * Reads the fields after the state, which begin at `offset`, into `fields`.
 *
 * @returns the number of the last field that was read
 */
function parseFields(line: Buffer, offset: number): number {
  let number = STATE;
  let at = offset;
  while (at < line.length && number < EXIT_CODE) {
    const negative = line[at] === MINUS;
    if (negative) at += 1;
    const start = at;
    let value = 0;
    for (let digit = line[at] ?? 0; digit >= ZERO && digit <= NINE; digit = line[at] ?? 0) {
      value = value * 10 + (digit - ZERO);
      at += 1;
    }
    const end = line[at];
    if (at === start || (end !== undefined && end !== SPACE && end !== NEWLINE)) break;
    number += 1;
    fields[number] = negative ? -value : value;
    at += 1;
  }
  return number;
}
