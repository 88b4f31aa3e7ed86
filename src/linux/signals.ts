import { FaultlineError } from '../base/error.ts';
import { type Architecture, architecture } from './arch.ts';

/** A signal: its number on this architecture and its one name, `SIGTERM` or `SIGRTMIN+3`. */
export interface Signal {
  readonly number: number;
  readonly name: string;
}

/** What a process that did not ask for anything else does with a signal: signal(7). */
export type DefaultAction = 'terminate' | 'core' | 'stop' | 'continue' | 'ignore';

type Row = readonly [number: number, name: string, action: DefaultAction];

/** include/uapi/asm-generic/signal.h and arch/x86/include/uapi/asm/signal.h agree; the actions are signal(7)'s. */
const generic: readonly Row[] = [
  [1, 'SIGHUP', 'terminate'],
  [2, 'SIGINT', 'terminate'],
  [3, 'SIGQUIT', 'core'],
  [4, 'SIGILL', 'core'],
  [5, 'SIGTRAP', 'core'],
  [6, 'SIGABRT', 'core'],
  [7, 'SIGBUS', 'core'],
  [8, 'SIGFPE', 'core'],
  [9, 'SIGKILL', 'terminate'],
  [10, 'SIGUSR1', 'terminate'],
  [11, 'SIGSEGV', 'core'],
  [12, 'SIGUSR2', 'terminate'],
  [13, 'SIGPIPE', 'terminate'],
  [14, 'SIGALRM', 'terminate'],
  [15, 'SIGTERM', 'terminate'],
  [16, 'SIGSTKFLT', 'terminate'],
  [17, 'SIGCHLD', 'ignore'],
  [18, 'SIGCONT', 'continue'],
  [19, 'SIGSTOP', 'stop'],
  [20, 'SIGTSTP', 'stop'],
  [21, 'SIGTTIN', 'stop'],
  [22, 'SIGTTOU', 'stop'],
  [23, 'SIGURG', 'ignore'],
  [24, 'SIGXCPU', 'core'],
  [25, 'SIGXFSZ', 'core'],
  [26, 'SIGVTALRM', 'terminate'],
  [27, 'SIGPROF', 'terminate'],
  [28, 'SIGWINCH', 'ignore'],
  [29, 'SIGIO', 'terminate'],
  [30, 'SIGPWR', 'terminate'],
  [31, 'SIGSYS', 'core'],
];

/** Second names of the same signals: signal(7). */
const synonyms: ReadonlyMap<string, string> = new Map([
  ['SIGIOT', 'SIGABRT'],
  ['SIGCLD', 'SIGCHLD'],
  ['SIGPOLL', 'SIGIO'],
  ['SIGUNUSED', 'SIGSYS'],
]);

/** The kernel's real-time signals begin at 32; glibc keeps 32 and 33 for its threads, so programs' SIGRTMIN is 34. */
const FIRST_REALTIME = 32;
const SIGRTMIN = 34;
const SIGRTMAX = 64;
/** Up to here names count up from SIGRTMIN, above it down from SIGRTMAX, as `kill -l` prints them. */
const LAST_COUNTED_UP = SIGRTMIN + 15;

function realtimeName(number: number): string {
  if (number < SIGRTMIN) return `SIG${number}`;
  if (number <= LAST_COUNTED_UP) return number === SIGRTMIN ? 'SIGRTMIN' : `SIGRTMIN+${number - SIGRTMIN}`;
  return number === SIGRTMAX ? 'SIGRTMAX' : `SIGRTMAX-${SIGRTMAX - number}`;
}

function realtimeRows(): Row[] {
  const rows: Row[] = [];
  for (let number = FIRST_REALTIME; number <= SIGRTMAX; number += 1) {
    rows.push([number, realtimeName(number), 'terminate']);
  }
  return rows;
}

const signals = [...generic, ...realtimeRows()];
const tables: Readonly<Record<Architecture, readonly Row[]>> = { x86_64: signals, arm64: signals };

function table(): readonly Row[] {
  return tables[architecture()];
}

function rowOf(number: number): Row | undefined {
  return table().find((row) => row[0] === number);
}

/** The name of a signal number: `SIGTERM`, `SIGRTMIN+3`; undefined outside 1 to 64. */
export function signalName(number: number): string | undefined {
  return rowOf(number)?.[1];
}

/** The names of all signals, in the order of their numbers. */
export function signalNames(): string[] {
  return table().map((row) => row[1]);
}

/**
 * What a process that did not ask for anything else does with this signal: signal(7).
 *
 * @throws FaultlineError SIGNAL_UNKNOWN: not a number from 1 to 64
 */
export function defaultAction(number: number): DefaultAction {
  const row = rowOf(number);
  if (row === undefined) throw unknownSignal(String(number));
  return row[2];
}

/**
 * A signal from what a person wrote: `TERM`, `SIGTERM`, `sigterm`, `15`, `RTMIN+1`, `SIGRTMAX-1`, or a number.
 *
 * @throws FaultlineError SIGNAL_UNKNOWN, with the names in the hint
 */
export function parseSignal(input: string | number): Signal {
  const text = String(input);
  const number = typeof input === 'number' || /^[1-9]\d?$/.test(text) ? Number(text) : numberOfName(text);
  const row = number === undefined ? undefined : rowOf(number);
  if (row === undefined) throw unknownSignal(text);
  return Object.freeze({ number: row[0], name: row[1] });
}

function numberOfName(text: string): number | undefined {
  // Beyond ASCII, other letters become S, I or K in upper case too.
  if (!/^[\w+-]+$/.test(text)) return undefined;
  const upper = text.toUpperCase();
  const written = upper.startsWith('SIG') ? upper : `SIG${upper}`;
  const name = synonyms.get(written) ?? written;
  return table().find((row) => row[1] === name)?.[0] ?? realtimeNumber(name);
}

/** Both `SIGRTMIN+20` and `SIGRTMAX-10` may be written for 54, though only one is its name. */
function realtimeNumber(name: string): number | undefined {
  const match = /^SIGRT(?:MIN\+(\d{1,2})|MAX-(\d{1,2}))$/.exec(name);
  if (match === null) return undefined;
  const number = match[1] === undefined ? SIGRTMAX - Number(match[2]) : SIGRTMIN + Number(match[1]);
  return number >= SIGRTMIN && number <= SIGRTMAX ? number : undefined;
}

function unknownSignal(text: string): FaultlineError {
  const names = table().flatMap(([number, name]) => (number < FIRST_REALTIME ? [name.slice('SIG'.length)] : []));
  return new FaultlineError('SIGNAL_UNKNOWN', `${JSON.stringify(text)} is not a signal`, {
    hint: `use a number from 1 to ${SIGRTMAX}, RTMIN, RTMIN+1 … RTMAX, or one of: ${names.join(' ')}`,
  });
}
