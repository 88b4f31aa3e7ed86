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

/** The wall clock in ms since 1970, where it is told with its date and zone. */
export function wallMs({ clock }: LogTime): number | undefined {
  if (clock === null || !/^\d{4}-\d\d-\d\dT[\d:.]+(?:Z|[+-]\d\d:\d\d)$/.test(clock)) return undefined;
  const at = Date.parse(clock);
  return Number.isNaN(at) ? undefined : at;
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

/**
 * `[   12.345678]`, with the thread or CPU of CONFIG_PRINTK_CALLER: `[ T1234]`, or as dmesg -d has it, with how long
 * after the line before: `[   12.345678 <    0.000003>]`.
 */
const printk = /^\s*\[ *(\d{1,10}\.\d{1,6})(?: <[ \d.]+>)?\](?:\[ *[TC]\d+\])? ?/;
/** `[Tue Nov 21 21:30:00 2023]` of dmesg -T, `[Nov21 21:30]` of dmesg -H */
const humanDmesg =
  /^\s*\[((?:[A-Z][a-z]{2} )?[A-Z][a-z]{2} ?[ \d]\d \d\d:\d\d(?::\d\d)?(?: \d{4})?)(?: <[ \d.]+>)?\] ?/;
/** `[  +0.000003]` of dmesg -H, `[<    0.000003>]` of its -d: how long after the line before. */
const sinceLast = /^\s*\[ *(?:\+ *[\d.]+|< *[\d.]+>)\] ?/;
/** `<4>` of dmesg -r and of RFC 3164 and 5424: eight times the facility, and the level. */
const priority = /^<(\d{1,3})>/;
/** `kern  :info  : ` of dmesg -x */
const decoded = /^([a-z0-9]{3,8}) *:(?:emerg|alert|crit|err|warn|notice|info|debug) *: ?/;
/** Also as journalctl -o short-full and -o with-unit have it: `Tue 2023-11-21 21:30:00 CET` */
const isoClock =
  /^((?:[A-Z][a-z]{2} )?\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(?:[.,]\d+)?(?:Z|[+-]\d\d:?\d\d| [A-Z]{3,5}(?= ))?) /;
/** journalctl -o short-unix */
const unixClock = /^(\d{9,11}\.\d{6}) /;
const syslogClock = /^([A-Z][a-z]{2} [ \d]\d \d\d:\d\d:\d\d(?:\.\d+)?(?: \d{4})?) /;
/** `<4>1 2023-11-21T21:30:00Z host kernel - - - `, without the priority */
const rfc5424 = /^1 (\d{4}-\S+) (\S+) (\S+) \S+ \S+ (?:-|\[[^\]]*\]) ?/;
/** What a runtime of containers puts before each line of theirs: `stdout F ` */
const container = /^std(?:out|err) [FP] /;
/** Colours, as `dmesg --color=always` and journalctl keep them. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: it is one that is looked for
const colours = /\x1b\[[\d;]*m/g;
/** `host kernel: ` and `host nginx[123]: ` */
const hostAndTag = /^([\w.:-]{1,255}) ([\w./@-]{1,64})(?:\[\d+\])?: ?/;
/** `6,1234,14658582809,-;`: facility and level, sequence, microseconds, flags; Documentation/ABI/testing/dev-kmsg */
const kmsg = /^(\d{1,4}),(\d+),(\d+),[^;]{0,64};/;

const plain = (message: string): LogLine => ({ time: noTime, host: null, tag: null, message });

function fromKmsg(line: string, [head, level, , microseconds]: RegExpExecArray): LogLine {
  // Facility 0 is the kernel; whatever else is there was written to /dev/kmsg by a program.
  const tag = Number(level) < 8 ? 'kernel' : 'user';
  const time = { uptimeSeconds: Number(microseconds) / 1e6, clock: null };
  return { time, host: null, tag, message: unescaped(line.slice(head.length)) };
}

/** The kernel writes bytes that are not printable, and backslashes, as \xNN: several of them may be one character. */
function unescaped(text: string): string {
  if (!text.includes('\\x')) return text;
  const pieces = text.split(/\\x([0-9a-f]{2})/);
  return Buffer.concat(
    pieces.map((piece, index) => (index % 2 === 0 ? Buffer.from(piece) : Buffer.from(piece, 'hex'))),
  ).toString('utf8');
}

/** After the clock of syslog or the journal: host and tag, then perhaps printk's own time. */
function afterClock(clock: string, rest: string): LogLine {
  const contained = container.exec(rest);
  if (contained !== null) return ofContainer(clock, rest.slice(contained[0].length));
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

function fromJournal(entry: JournalEntry): LogLine | undefined {
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

/** A line of a container: whatever it looks like, the kernel did not write it. */
function ofContainer(clock: string | null, message: string): LogLine {
  return { time: { uptimeSeconds: null, clock }, host: null, tag: 'container', message };
}

/** `{"log":"…\\n","stream":"stderr","time":"…"}` of docker's json-file driver, or an entry of the journal. */
function fromJson(line: string): LogLine | undefined {
  let entry: JournalEntry;
  try {
    entry = JSON.parse(line) as JournalEntry;
  } catch {
    return undefined;
  }
  const { log, stream, time } = entry;
  if (typeof log === 'string' && typeof stream === 'string') {
    return ofContainer(typeof time === 'string' ? time : null, log.trimEnd());
  }
  return fromJournal(entry);
}

/** Without a priority and colours before it. */
function fromText(line: string): LogLine {
  const stamped = printk.exec(line);
  if (stamped !== null) return fromPrintk(line, stamped);
  const modern = rfc5424.exec(line);
  if (modern !== null) {
    const [head, clock = '', host = '', tag = ''] = modern;
    return { ...afterClock(clock, line.slice(head.length)), host, tag };
  }
  const clocked = syslogClock.exec(line) ?? isoClock.exec(line) ?? unixClock.exec(line);
  if (clocked !== null) return afterClock(clocked[1] ?? '', line.slice(clocked[0].length));
  const human = humanDmesg.exec(line);
  if (human !== null) {
    const [head, clock = null] = human;
    return { time: { uptimeSeconds: null, clock }, host: null, tag: null, message: line.slice(head.length) };
  }
  return plain(line.replace(sinceLast, '').trimStart());
}

/** What a line says of who wrote it before anything else, and what follows. Facility 0 is the kernel's. */
function facilityOf(line: string): { readonly isKernel: boolean; readonly rest: string } | undefined {
  const numbered = priority.exec(line);
  if (numbered !== null) return { isKernel: Number(numbered[1]) < 8, rest: line.slice(numbered[0].length) };
  const named = decoded.exec(line);
  return named === null ? undefined : { isKernel: named[1] === 'kern', rest: line.slice(named[0].length) };
}

/** Takes the message out of a line, whatever stands before it. What is not known counts as the message. */
export function parseLogLine(given: string): LogLine {
  const line = given.includes('\x1b') ? given.replaceAll(colours, '') : given;
  if (line.startsWith('{')) return fromJson(line) ?? plain(line);
  const record = kmsg.exec(line);
  if (record !== null) return fromKmsg(line, record);
  const facility = facilityOf(line);
  if (facility === undefined) return fromText(line);
  const parsed = fromText(facility.rest);
  // Written to /dev/kmsg or by syslog(3): what it calls itself is its own choice.
  return facility.isKernel || (parsed.tag !== null && parsed.tag !== 'kernel') ? parsed : { ...parsed, tag: 'user' };
}

/** May the kernel have written it? A program that names itself did not. */
export function isOfKernel({ tag }: LogLine): boolean {
  return tag === null || tag === 'kernel';
}
