import { formatDuration } from '../../base/duration.ts';
import { count, printable } from '../../base/text.ts';
import type { DeathRecord } from '../../forensics/death-record.ts';
import { endText, oomText, senderText, userText, whoText } from '../../forensics/death-text.ts';
import type { Sight } from '../../forensics/watch/watch.ts';
import { painterFor } from './style.ts';

/** How much of a command line is shown; `-o json` has what was seen of it. */
const longestCommand = 120;

const whoWidth = 24;

const padded = (number: number, digits = 2): string => String(number).padStart(digits, '0');

/** The hour of the day, as whoever looks has it. */
function timeText(at: number): string {
  const time = new Date(at);
  const clock = [time.getHours(), time.getMinutes(), time.getSeconds()].map((part) => padded(part)).join(':');
  return `${clock}.${padded(time.getMilliseconds(), 3)}`;
}

function commandText({ argv, name }: DeathRecord): string | undefined {
  const line = (argv ?? []).join(' ');
  if (line === '' || line === name) return undefined;
  return line.length > longestCommand ? `${line.slice(0, longestCommand - 1)}…` : line;
}

function endWithCause(record: DeathRecord): string {
  const { oom } = record;
  if (oom !== null) {
    const why = oomText(oom);
    return why === '' ? endText(record) : `${endText(record)}: ${why}`;
  }
  const sent = senderText(record);
  return sent === undefined ? endText(record) : `${endText(record)}, ${sent}`;
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
  const end = printable(endWithCause(record));
  const shown = isHarmless(record) ? end : paint(record.oom === null ? 'yellow' : 'red', end);
  const who = printable(whoText(record)).padEnd(whoWidth);
  return `${timeText(at)}  ${who}  ${shown}  · ${printable(details.join(' · '))}`;
}

/** A line for what was seen. */
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
