import { createHash } from 'node:crypto';
import type { InjectionDocument } from '../../api/documents.ts';
import type { Operations } from '../../api/operations.ts';
import { delay } from '../../base/delay.ts';
import { FaultlineError, isFaultlineError } from '../../base/error.ts';
import { isLive } from '../../base/lifecycle.ts';
import type { ChaosObject } from '../../faults/objects.ts';

/*
 * Which injection stands for an object. Its uid is made of the object's kind, namespace and name, so that whoever has
 * the file can say it. A uid is good for one injection; when that is over and the object is applied again, the next
 * one has a number behind it: `iochaos:default:slow`, `iochaos:default:slow:2`, …
 */

type Find = (number: number) => Promise<InjectionDocument | undefined>;

/** The longest uid that leaves room for a number. */
const longestUid = 110;

/** How long to wait until an injection that is just being made or undone is the one or the other, in milliseconds. */
const patienceMs = 60_000;
const pollMs = 100;

/** The first uid of an object. No name of Kubernetes has a colon in it. */
export function uidOf({ kind, namespace, name }: ChaosObject): string {
  const uid = `${kind.kind.toLowerCase()}:${namespace}:${name}`;
  if (uid.length <= longestUid) return uid;
  const digest = createHash('sha256').update(`${namespace}/${name}`).digest('hex');
  return `${kind.kind.toLowerCase()}::${digest}`;
}

const numbered = (uid: string, number: number): string => (number === 1 ? uid : `${uid}:${number}`);

function finderFor(operations: Operations, uid: string): Find {
  return async (number) => {
    try {
      return await operations.find(numbered(uid, number));
    } catch (error) {
      if (isFaultlineError(error, 'INJECTION_NOT_FOUND')) return undefined;
      throw error;
    }
  };
}

interface Last {
  readonly number: number;
  readonly injection: InjectionDocument;
}

/** The highest number that there is. They follow one another, and injections are never deleted. */
async function lastOf(find: Find): Promise<Last | undefined> {
  const first = await find(1);
  if (first === undefined) return undefined;
  let last: Last = { number: 1, injection: first };
  let free = 0;
  while (free - last.number !== 1) {
    const number = free === 0 ? last.number * 2 : Math.floor((last.number + free) / 2);
    const injection = await find(number);
    if (injection === undefined) free = number;
    else last = { number, injection };
  }
  return last;
}

/** The newest injection that stands for an object, live or over; undefined when there never was one. */
export function newestOf(operations: Operations, object: ChaosObject): Promise<InjectionDocument | undefined> {
  return lastOf(finderFor(operations, uidOf(object))).then((last) => last?.injection);
}

/** Whether an object is in force. */
export interface Standing {
  /** Of the injection that is in force, or of the next one. */
  readonly uid: string;
  readonly live: InjectionDocument | undefined;
}

/** @throws {FaultlineError} INJECTION_BUSY: somebody is at work on it, and does not come to an end */
export async function standingOf(operations: Operations, object: ChaosObject): Promise<Standing> {
  const uid = uidOf(object);
  const giveUpMs = performance.now() + patienceMs;
  for (;;) {
    const last = await lastOf(finderFor(operations, uid));
    if (last === undefined) return { uid, live: undefined };
    const { number, injection } = last;
    // What came to nothing gives its uid back.
    if (!isLive(injection.state)) {
      return { uid: numbered(uid, injection.state === 'failed' ? number : number + 1), live: undefined };
    }
    if (injection.state === 'injected') return { uid: injection.uid, live: injection };
    if (performance.now() > giveUpMs) {
      throw new FaultlineError('INJECTION_BUSY', `the injection ${injection.uid} is ${injection.state} still`, {
        hint: `ask again later, or look at it: faultline show ${injection.uid}`,
      });
    }
    await delay(pollMs);
  }
}
