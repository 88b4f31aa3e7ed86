import { setTimeout as delay } from 'node:timers/promises';
import { count, printable } from '../base/text.ts';
import type { DeathsWanted } from '../forensics/watch/wanted.ts';
import type { Sight } from '../forensics/watch/watch.ts';
import type { DeathSourceKind } from '../linux/death-events/event.ts';
import type { RefusedSource } from '../linux/death-events/open-source.ts';
import { interruption } from './interruption.ts';
import type { Invocation } from './invocation.ts';
import { jsonLine } from './output/format.ts';
import { isOver, remark, say } from './output/style.ts';
import { sightText } from './output/watch-text.ts';

/** Deaths that are watched, by this process or by a service. */
export interface Watched {
  readonly source: DeathSourceKind;
  /** What it cannot tell: phrases. */
  readonly cannot: readonly string[];
  /** What would tell more, and why it is not used. */
  readonly refused: readonly RefusedSource[];
  /** The address of the service that watches; null: this process does. */
  readonly where: string | null;
  /**
   * What has happened since the last look, of those who are wanted, and which of it was us.
   *
   * @param isLast there will be none
   */
  look(isLast: boolean): readonly Sight[];
  /** How many events were lost so far. */
  dropped(): number;
}

/** Watch while the body runs. */
export type Watching = (
  invocation: Invocation,
  request: WatchRequest,
  body: (watched: Watched) => Promise<void>,
) => Promise<void>;

/** How long between two looks, in milliseconds: what a person does not notice. */
const pauseMs = 50;

export interface WatchRequest {
  readonly wanted: Omit<DeathsWanted, 'container' | 'cgroup'>;
  /** As it was given: a name, or the beginning of an identity. */
  readonly container?: string;
  /** As it was given: a path of the hierarchy, or a folder below /sys/fs/cgroup. */
  readonly cgroup?: string;
  readonly source?: DeathSourceKind;
  /** End after so many deaths. */
  readonly most?: number;
  /** End after so many ms. */
  readonly forMs?: number;
}

/** What is used, what would tell more, and what is not told. */
function tellSource({ format }: Invocation, { source, cannot, refused, where }: Watched): void {
  if (format === 'json') {
    say(jsonLine({ kind: 'watching', source, cannot, refused }));
    return;
  }
  remark(`watching by ${source}${where === null ? '' : ` of the service at ${where}`}; Ctrl-C ends it`);
  for (const { kind, why } of refused) remark(`Note: not by ${kind}: ${printable(why)}`);
  if (cannot.length > 0) remark(`Note: ${source} cannot tell ${printable(cannot.join(', '))}`);
}

function lineOf({ format }: Invocation, sight: Sight): string {
  if (format === 'text') return sightText(sight);
  if (sight.kind === 'death') return jsonLine({ kind: 'death', ...sight.record });
  return jsonLine(sight.kind === 'restart' ? { kind: 'restart', ...sight.restart } : sight);
}

/** All that was seen at a time is written at a time. */
function tell(invocation: Invocation, sights: readonly Sight[]): void {
  if (sights.length === 0) return;
  const isText = invocation.format === 'text';
  const lost = sights.filter(({ kind }) => isText && kind === 'dropped');
  const told = lost.length === 0 ? sights : sights.filter(({ kind }) => kind !== 'dropped');
  if (told.length > 0) say(told.map((sight) => lineOf(invocation, sight)).join('\n'));
  for (const sight of lost) remark(sightText(sight));
}

interface Ending {
  isOver(deaths: number): boolean;
}

function endingOf({ most, forMs }: WatchRequest): Ending {
  const { signal } = interruption();
  const until = forMs === undefined ? Number.POSITIVE_INFINITY : performance.now() + forMs;
  return {
    isOver: (deaths) =>
      signal.aborted || isOver('stdout') || performance.now() >= until || (most !== undefined && deaths >= most),
  };
}

async function pause(): Promise<void> {
  const { signal } = interruption();
  await delay(pauseMs, undefined, { signal }).catch(() => undefined);
}

/** What was seen up to the last death that is wanted. */
function upTo(sights: readonly Sight[], most: number): readonly Sight[] {
  let left = most;
  const end = sights.findIndex(({ kind }) => kind === 'death' && left-- <= 0);
  return end === -1 ? sights : sights.slice(0, end);
}

/** @returns how many deaths were told */
async function follow(invocation: Invocation, watched: Watched, request: WatchRequest): Promise<number> {
  const ending = endingOf(request);
  let deaths = 0;
  for (let isLast = false; !isLast; ) {
    isLast = ending.isOver(deaths);
    const sights = upTo(watched.look(isLast), (request.most ?? Number.POSITIVE_INFINITY) - deaths);
    deaths += sights.filter(({ kind }) => kind === 'death').length;
    tell(invocation, sights);
    if (!isLast && !ending.isOver(deaths)) await pause();
  }
  return deaths;
}

/** Tell of deaths as they happen, until the user has seen enough. */
export async function watchSession(invocation: Invocation, request: WatchRequest, watching: Watching): Promise<void> {
  await watching(invocation, request, async (watched) => {
    tellSource(invocation, watched);
    const deaths = await follow(invocation, watched, request);
    const dropped = watched.dropped();
    if (invocation.format === 'json') say(jsonLine({ kind: 'end', deaths, dropped }));
    else remark(`${count(deaths, 'death')} seen, ${dropped === 0 ? 'no event' : count(dropped, 'event')} dropped`);
  });
}
