/*
 * What stands before a message of the kernel, in all the ways in which logs are kept: dmesg (plain, -T, -x, -r, -H,
 * iso), the journal (short, monotonic, JSON), syslog files (RFC 3164 and 5424), records of /dev/kmsg, or nothing.
 */

/** When a line says that it was written, as far as it says so. */
export interface LogTime {
  /** Seconds since boot, as printk writes them; null when only the wall clock is given. */
  readonly uptimeSeconds: number | null;
  /** The wall clock as it stands in the log: `Nov 21 21:30:00`. */
  readonly clock: string | null;
}

/** The wall clock as it stands in the log, or `14658.582932 s after boot`; empty where no time is told. */
export function timeText({ uptimeSeconds, clock }: LogTime): string {
  return clock ?? (uptimeSeconds === null ? '' : `${uptimeSeconds.toFixed(6)} s after boot`);
}

export interface LogLine {
  readonly time: LogTime;
  /** Which host wrote it, where logs of many are in one. */
  readonly host: string | null;
  /** `kernel`, or the tag of the program that wrote it; null where nothing tells. */
  readonly tag: string | null;
  readonly message: string;
}

const noTime: LogTime = Object.freeze({ uptimeSeconds: null, clock: null });

/** `[   12.345678]`, with the thread or CPU of CONFIG_PRINTK_CALLER: `[ T1234]`, and the level of `dmesg -r`. */
const printk = /^(?:<\d{1,3}>)?\s*\[ *(\d{1,10}\.\d{1,6})\](?:\[ *[TC]\d+\])? ?/;
/** `[Tue Nov 21 21:30:00 2023]` of dmesg -T, `[Nov21 21:30]` and `[  +0.000003]` of dmesg -H */
const humanDmesg =
  /^\s*\[((?:[A-Z][a-z]{2} )?[A-Z][a-z]{2} ?[ \d]\d \d\d:\d\d(?::\d\d)?(?: \d{4})?| *[+<] *\d+\.\d+>?)\] ?/;
/** `kern  :info  : ` of dmesg -x */
const decoded = /^(?:kern|user|daemon|syslog|auth|authpriv) *:(?:emerg|alert|crit|err|warn|notice|info|debug) *: /;
const isoClock = /^(\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(?:[.,]\d+)?(?:Z|[+-]\d\d:?\d\d)?) /;
const syslogClock = /^(?:<\d{1,3}>)?([A-Z][a-z]{2} [ \d]\d \d\d:\d\d:\d\d(?:\.\d+)?(?: \d{4})?) /;
/** `<4>1 2023-11-21T21:30:00Z host kernel - - - ` */
const rfc5424 = /^<\d{1,3}>1 (\S+) (\S+) (\S+) \S+ \S+ (?:-|\[[^\]]*\]) ?/;
/** `host kernel: ` and `host nginx[123]: ` */
const hostAndTag = /^([\w.:-]{1,255}) ([\w./@-]{1,64})(?:\[\d+\])?: ?/;
/** `6,1234,14658582809,-;`: facility and level, sequence, microseconds, flags; Documentation/ABI/testing/dev-kmsg */
const kmsg = /^(\d{1,4}),(\d+),(\d+),[^;]{0,64};/;

const plain = (message: string): LogLine => ({ time: noTime, host: null, tag: null, message });

function fromKmsg(line: string, [head, priority, , microseconds]: RegExpExecArray): LogLine {
  // Facility 0 is the kernel; whatever else is there was written to /dev/kmsg by a program.
  const tag = Number(priority) < 8 ? 'kernel' : 'user';
  const time = { uptimeSeconds: Number(microseconds) / 1e6, clock: null };
  return { time, host: null, tag, message: unescaped(line.slice(head.length)) };
}

/** The kernel writes bytes that are not printable, and backslashes, as \xNN. */
function unescaped(text: string): string {
  if (!text.includes('\\x')) return text;
  const bytes = text.replaceAll(/\\x([0-9a-f]{2})/g, (_whole, hex: string) =>
    String.fromCharCode(Number.parseInt(hex, 16)),
  );
  // Escaped bytes of one character stand one after the other.
  return /^[\u0000-\u00ff]*$/.test(bytes) ? Buffer.from(bytes, 'latin1').toString('utf8') : bytes;
}

/** After the clock of syslog or the journal: host and tag, then perhaps printk's own time. */
function afterClock(clock: string, rest: string): LogLine {
  const named = hostAndTag.exec(rest);
  const body = named === null ? rest : rest.slice(named[0].length);
  const stamped = printk.exec(body);
  const time = { uptimeSeconds: stamped === null ? null : Number(stamped[1]), clock };
  const message = stamped === null ? body : body.slice(stamped[0].length);
  return { time, host: named?.[1] ?? null, tag: named?.[2] ?? null, message };
}

function fromPrintk(line: string, [head, seconds]: RegExpExecArray): LogLine {
  const rest = line.slice(head.length);
  const time = { uptimeSeconds: Number(seconds), clock: null };
  // journalctl -o short-monotonic
  const named = /^([\w.-]{1,255}) (kernel): /.exec(rest);
  if (named === null) return { time, host: null, tag: null, message: rest };
  return { time, host: named[1] ?? null, tag: 'kernel', message: rest.slice(named[0].length) };
}

type JournalEntry = Readonly<Record<string, unknown>>;

function journalText(value: unknown): string | undefined {
  if (typeof value === 'string') return value;
  // What is no UTF-8 stands there as a list of bytes.
  if (!Array.isArray(value)) return undefined;
  return Buffer.from(value.filter((byte): byte is number => typeof byte === 'number')).toString('utf8');
}

function fromJournal(line: string): LogLine | undefined {
  let entry: JournalEntry;
  try {
    entry = JSON.parse(line) as JournalEntry;
  } catch {
    return undefined;
  }
  const message = journalText(entry['MESSAGE']);
  if (message === undefined) return undefined;
  const transport = entry['_TRANSPORT'];
  const identifier = journalText(entry['SYSLOG_IDENTIFIER']) ?? null;
  const tag =
    transport === 'kernel' ? 'kernel' : identifier === 'kernel' && transport !== undefined ? 'user' : identifier;
  const monotonic = Number(entry['_SOURCE_MONOTONIC_TIMESTAMP'] ?? entry['__MONOTONIC_TIMESTAMP']);
  const wall = Number(entry['__REALTIME_TIMESTAMP']);
  const stamp = new Date(wall / 1000);
  return {
    time: {
      uptimeSeconds: Number.isFinite(monotonic) ? monotonic / 1e6 : null,
      clock: Number.isFinite(stamp.getTime()) ? stamp.toISOString() : null,
    },
    host: journalText(entry['_HOSTNAME']) ?? null,
    tag,
    message,
  };
}

/** Takes the message out of a line, whatever stands before it. What is not known counts as the message. */
export function parseLogLine(line: string): LogLine {
  if (line.startsWith('{')) return fromJournal(line) ?? plain(line);
  const early = printk.exec(line);
  if (early !== null) return fromPrintk(line, early);
  const record = kmsg.exec(line);
  if (record !== null) return fromKmsg(line, record);
  const rest = line.replace(decoded, '');
  const stamped = printk.exec(rest);
  if (stamped !== null) return fromPrintk(rest, stamped);
  const modern = rfc5424.exec(rest);
  if (modern !== null) {
    const [head, clock = '', host = '', tag = ''] = modern;
    return { ...afterClock(clock, rest.slice(head.length)), host, tag };
  }
  const clocked = syslogClock.exec(rest) ?? isoClock.exec(rest);
  if (clocked !== null) return afterClock(clocked[1] ?? '', rest.slice(clocked[0].length));
  const human = humanDmesg.exec(rest);
  if (human !== null) {
    return {
      time: { uptimeSeconds: null, clock: human[1] ?? null },
      host: null,
      tag: null,
      message: rest.slice(human[0].length),
    };
  }
  return plain(rest.trimStart());
}

/** May the kernel have written it? A program that names itself did not. */
export function isOfKernel({ tag }: LogLine): boolean {
  return tag === null || tag === 'kernel';
}
