import { setTimeout as delay } from 'node:timers/promises';
import { FaultlineError } from '../base/error.ts';
import { count, printable } from '../base/text.ts';
import type { Engine } from '../experiment/engine.ts';
import { findContainer } from '../forensics/host/containers.ts';
import type { Sight } from '../forensics/watch/watch.ts';
import { watchDeaths } from '../forensics/watch/watch.ts';
import type { DeathsWanted } from '../forensics/watch/wanted.ts';
import { hierarchyPath } from '../linux/cgroup-path.ts';
import type { DeathSource, DeathSourceKind } from '../linux/death-events/event.ts';
import { type OpenedSource, openDeathSource } from '../linux/death-events/open-source.ts';
import { interruption } from './interruption.ts';
import type { Invocation } from './invocation.ts';
import { withEngine } from './engine-session.ts';
import { jsonLine } from './output/format.ts';
import { isOver, remark, say } from './output/style.ts';
import { sightText } from './output/watch-text.ts';

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

/** The identity of a container, or its beginning. */
async function containerId(given: string): Promise<string> {
  const known = await findContainer(given);
  if (known !== undefined) return known.id.slice(0, 12);
  remark(`Note: neither docker nor podman knows ${printable(given)}: it is taken for an identity, or a name of LXC`);
  return /^[0-9a-f]{12,64}$/.test(given) ? given.slice(0, 12) : given;
}

async function wantedOf({ wanted, container, cgroup }: WatchRequest): Promise<DeathsWanted> {
  return {
    ...wanted,
    ...(container === undefined ? {} : { container: await containerId(container) }),
    ...(cgroup === undefined ? {} : { cgroup: hierarchyPath(cgroup) }),
  };
}

/** What is used, what would tell more, and what is not told. */
function tellSource({ format }: Invocation, { source, refused }: OpenedSource): void {
  if (format === 'json') {
    say(jsonLine({ kind: 'watching', source: source.kind, cannot: source.cannot, refused }));
    return;
  }
  remark(`watching by ${source.kind}; Ctrl-C ends it`);
  for (const { kind, why } of refused) remark(`Note: not by ${kind}: ${printable(why)}`);
  if (source.cannot.length > 0) remark(`Note: ${source.kind} cannot tell ${source.cannot.join(', ')}`);
}

/** Whose deaths the journal has injections for; a journal that cannot be read must not end the watch. */
function attributing(engine: Engine): (sights: readonly Sight[]) => readonly Sight[] {
  let failed = false;

  function attributed(sights: readonly Sight[]): readonly Sight[] {
    const records = engine.attributeDeaths(sights.flatMap((sight) => (sight.kind === 'death' ? [sight.record] : [])));
    const next = records.values();
    return sights.map((sight) =>
      sight.kind === 'death' ? { kind: 'death', record: next.next().value ?? sight.record } : sight,
    );
  }
  return (sights) => {
    if (failed || sights.length === 0) return sights;
    try {
      return attributed(sights);
    } catch (error) {
      if (!(error instanceof FaultlineError)) throw error;
      failed = true;
      remark(`Warning: what injections did is not told: ${error.message}`);
      return sights;
    }
  };
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
async function follow(
  invocation: Invocation,
  engine: Engine,
  source: DeathSource,
  request: WatchRequest,
): Promise<number> {
  const watch = watchDeaths(source, await wantedOf(request));
  const attribute = attributing(engine);
  const ending = endingOf(request);
  let deaths = 0;
  for (let isLast = false; !isLast; ) {
    isLast = ending.isOver(deaths);
    const sights = upTo(attribute(watch.look()), (request.most ?? Number.POSITIVE_INFINITY) - deaths);
    deaths += sights.filter(({ kind }) => kind === 'death').length;
    tell(invocation, sights);
    if (!isLast && !ending.isOver(deaths)) await pause();
  }
  return deaths;
}

/** Tell of deaths as they happen, until the user has seen enough. */
export async function watchSession(invocation: Invocation, request: WatchRequest): Promise<void> {
  await withEngine(invocation, { via: 'cli', supervise: false }, async (engine) => {
    const opened = openDeathSource(request.source);
    const { source } = opened;
    try {
      tellSource(invocation, opened);
      const deaths = await follow(invocation, engine, source, request);
      const dropped = source.dropped();
      if (invocation.format === 'json') say(jsonLine({ kind: 'end', deaths, dropped }));
      else remark(`${count(deaths, 'death')} seen, ${dropped === 0 ? 'no event' : count(dropped, 'event')} dropped`);
    } finally {
      source.close();
    }
  });
}
