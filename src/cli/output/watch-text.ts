import { formatDuration } from '../../base/duration.ts';
import { count, printable } from '../../base/text.ts';
import type { DeathRecord } from '../../forensics/death-record.ts';
import { endWithCause, userText, whoText } from '../../forensics/death-text.ts';
import type { Sight } from '../../forensics/watch/watch.ts';
import { isWatched, painterFor } from './style.ts';
import { wrapped } from './wrapped.ts';

/** How much of a command line is shown; `-o json` has what was seen of it. */
const longestCommand = 120;

const whoWidth = 24;

/** What stands below the time of day. */
const under = ' '.repeat(14);

const padded = (number: number, digits = 2): string => String(number).padStart(digits, '0');

/** The hour of the day, as whoever looks has it. */
function timeText(at: number): string {
  const time = new Date(at);
  const clock = [time.getHours(), time.getMinutes(), time.getSeconds()].map((part) => padded(part)).join(':');
  return `${clock}.${padded(time.getMilliseconds(), 3)}`;
}

function commandText({ argv, name }: DeathRecord): string | undefined {
  // Who sets its title leaves blanks where its arguments were.
  const line = (argv ?? []).join(' ').trimEnd();
  if (line === '' || line === name) return undefined;
  return line.length > longestCommand ? `${line.slice(0, longestCommand - 1)}…` : line;
}

function isHarmless({ end }: DeathRecord): boolean {
  return end?.kind === 'exited' && end.code === 0;
}

function deathText(record: DeathRecord): string {
  const { at, ageMs, uid, cgroup, container, injection } = record;
  const paint = painterFor('stdout');
  const details = [
    injection === null ? undefined : `it was Faultline: injection ${injection}`,
    ageMs === null ? undefined : `${formatDuration(ageMs)} old`,
    uid === null ? undefined : userText(uid),
    container === null ? cgroup : `container ${container}`,
    commandText(record),
  ].filter((detail) => detail !== undefined);
  const who = printable(whoText(record)).padEnd(whoWidth);
  const end = printable(endWithCause(record));
  const head = `${timeText(at)}  ${who}  `;
  const about = printable(details.join(' · '));
  const color = isHarmless(record) ? undefined : record.oom === null ? 'yellow' : 'red';
  const shown = (text: string): string => (color === undefined ? text : paint(color, text));
  if (!isWatched('stdout')) return `${head}${end}  · ${about}`;
  // A terminal would break a long line anywhere.
  const [first = '', ...rest] = wrapped(end, head, under);
  return [
    `${head}${shown(first.slice(head.length))}`,
    ...rest.map((line) => `${under}${shown(line.slice(under.length))}`),
    ...wrapped(about, under, under),
  ].join('\n');
}

/** What was seen: a line, or on a terminal as many as are needed. */
export function sightText(sight: Sight): string {
  switch (sight.kind) {
    case 'death':
      return deathText(sight.record);
    case 'restart': {
      const { at, pid, name, died, afterMs } = sight.restart;
      const who = `pid ${pid} (${printable(name)})`;
      const started = painterFor('stdout')('green', 'was started');
      const when = `${formatDuration(afterMs)} after pid ${died} of that name died`;
      return `${timeText(at)}  ${who.padEnd(whoWidth)}  ${started} ${when}`;
    }
    case 'dropped':
      return `Warning: ${count(sight.events, 'event')} were lost, ${sight.total} so far: deaths may be missing above`;
  }
}
