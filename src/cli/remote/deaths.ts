import { delay } from '../../base/delay.ts';
import { FaultlineError } from '../../base/error.ts';
import { printable } from '../../base/text.ts';
import type { DeathRecord } from '../../forensics/death-record.ts';
import { type DeathsWanted, isWanted } from '../../forensics/watch/wanted.ts';
import type { Sight } from '../../forensics/watch/watch.ts';
import { hierarchyPath } from '../../linux/cgroup-path.ts';
import { remark } from '../output/style.ts';
import type { Watching, WatchRequest } from '../watch-session.ts';
import { misshapen } from './answer.ts';
import { type Client, lookPatienceMs } from './client.ts';
import type { HeardEvent } from './event-stream.ts';
import { openService } from './session.ts';
import {
  type DeathDocument,
  type DeathsDocument,
  documentOf,
  isDeath,
  isDeaths,
  isDropped,
  isRestart,
} from './shapes.ts';

/*
 * Deaths that a service watches, heard as they happen. A lost connection is made anew, and nothing is missed by it.
 */

/** How long between two tries after a lost connection, in milliseconds, and how many: a service comes back sooner. */
const againAfterMs = 1_000;
const mostTries = 60;

/** How many are remembered of those who may be started again. */
const mostDied = 10_000;

/** Errors by which a service that stops or has just been started says to come again. */
const passing: ReadonlySet<string> = new Set(['SERVER_UNREACHABLE', 'SERVER_STOPPING', 'TOO_MANY_REQUESTS']);

function wantedOf({ wanted, container, cgroup }: WatchRequest): DeathsWanted {
  const isIdentity = container !== undefined && /^[0-9a-f]{12,64}$/.test(container);
  if (container !== undefined && !isIdentity) {
    remark(`Note: ${printable(container)} is taken for the name of a container of LXC: others have an identity there`);
  }
  return {
    ...wanted,
    ...(container === undefined ? {} : { container: isIdentity ? container.slice(0, 12) : container }),
    ...(cgroup === undefined ? {} : { cgroup: hierarchyPath(cgroup) }),
  };
}

function recordOf({ id: _id, at, ...rest }: DeathDocument): DeathRecord {
  return { at: Date.parse(at), ...rest };
}

/** What was heard, as what is seen here would be told. */
function hearing(url: string, wanted: DeathsWanted) {
  /** Who died of those that are wanted: those who come back in their place are wanted, too. */
  const died = new Set<number>();
  let sights: Sight[] = [];
  let total = 0;

  function death(document: DeathDocument): void {
    const record = recordOf(document);
    if (!isWanted(record, wanted)) return;
    if (died.size >= mostDied) died.clear();
    died.add(record.pid);
    sights.push({ kind: 'death', record });
  }
  return {
    hear: ({ type, data }: HeardEvent): void => {
      if (type === 'death') death(documentOf(url, 'death', isDeath, data));
      else if (type === 'restart') {
        const restart = documentOf(url, 'restart', isRestart, data);
        if (died.delete(restart.died)) sights.push({ kind: 'restart', restart });
      } else if (type === 'dropped') {
        const { events } = documentOf(url, 'number of lost events', isDropped, data);
        total += events;
        sights.push({ kind: 'dropped', events, total });
      }
    },
    take: (): readonly Sight[] => {
      const taken = sights;
      sights = [];
      return taken;
    },
    dropped: (): number => total,
  };
}

async function howItWatches(client: Client): Promise<DeathsDocument> {
  const path = '/deaths?limit=1';
  const { document } = await client.ask({ method: 'GET', path, patienceMs: lookPatienceMs, repeatable: true });
  return documentOf(client.url, 'list of deaths', isDeaths, document);
}

interface Following {
  /** Why nothing is heard any more. */
  failure(): unknown;
  stop(): void;
}

/** Hear all that comes after a death, over as many connections as it takes. */
async function follow(client: Client, after: number, hear: (event: HeardEvent) => void): Promise<Following> {
  let [last, stopped] = [String(after), false];
  let failure: unknown;

  async function listen(): Promise<void> {
    let isSpoilt = false;
    await client.listen(`/deaths/events?after=${last}`, {
      heard: (event) => {
        if (isSpoilt) return;
        try {
          hear(event);
          last = event.id ?? last;
        } catch (error) {
          [isSpoilt, failure] = [true, error];
        }
      },
      ended: () => void again(),
    });
  }
  async function again(): Promise<void> {
    const isOver = (): boolean => stopped || failure !== undefined;
    if (isOver()) return;
    remark('Warning: the connection to the service is lost; it is tried again');
    for (let tries = 1; !isOver(); tries += 1) {
      await delay(againAfterMs);
      try {
        if (!isOver()) await listen();
        return;
      } catch (error) {
        const mayPass = error instanceof FaultlineError && passing.has(error.code) && tries < mostTries;
        if (!mayPass) failure = error;
      }
    }
  }
  await listen();
  return {
    failure: () => failure,
    stop: () => {
      stopped = true;
    },
  };
}

/** Have a service watch. */
export function watchThere(server: string): Watching {
  return async (invocation, request, body) => {
    const client = await openService(server, invocation);
    let following: Following | undefined;
    try {
      const { watching, items } = await howItWatches(client);
      if (watching === null) {
        throw new FaultlineError('HOST_UNSUPPORTED', `the service at ${client.url} does not watch deaths`, {
          hint: 'start it as root and without --no-watch; its log says why it does not',
        });
      }
      const { hear, take, dropped } = hearing(client.url, wantedOf(request));
      const heard = await follow(client, items[0]?.id ?? 0, hear);
      following = heard;
      const look = (): readonly Sight[] => {
        const failure = heard.failure();
        if (failure !== undefined) throw failure instanceof Error ? failure : misshapen(client.url, 'stream of events');
        return take();
      };
      const { source, cannot, refused } = watching;
      await body({ source, cannot, refused, where: client.url, look, dropped });
    } finally {
      following?.stop();
      client.close();
    }
  };
}
