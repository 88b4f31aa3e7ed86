import type { SeenExec } from '../../linux/death-events/event.ts';
import type { DeathRecord } from '../death-record.ts';
import type { Moment } from './record-of.ts';

/** Somebody came back under the name of one who died. */
export interface Restart {
  /** Wall-clock ms since 1970. */
  readonly at: number;
  readonly pid: number;
  readonly name: string;
  /** Who died. */
  readonly died: number;
  /** How long after the death, in milliseconds. */
  readonly afterMs: number;
}

/** How long somebody is expected back, in milliseconds: supervisors wait longer and longer, up to minutes. */
const patienceMs = 5 * 60_000;
const mostExpected = 1_000;

/** Expects those who died of something to be started again. */
export interface Restarts {
  expect(record: DeathRecord): void;
  seen(exec: SeenExec, now: Moment): Restart | undefined;
}

/** Are they the same as far as both are known? */
function sameCommand(one: readonly string[] | null, other: readonly string[] | null): boolean {
  if (one === null || other === null) return true;
  return one.length === other.length && one.every((word, at) => word === other[at]);
}

/**
 * Whoever has the name, the user, the parent and the arguments of one who died is taken for him, started again. Who
 * exited with 0 had done his work, and is not expected.
 */
export function expectRestarts(): Restarts {
  const expected = new Map<string, DeathRecord[]>();
  let count = 0;

  function forget(nowMs: number): void {
    for (const [key, records] of expected) {
      const fresh = records.filter(({ bootMs }) => nowMs - bootMs < patienceMs);
      count -= records.length - fresh.length;
      if (fresh.length === 0) expected.delete(key);
      else expected.set(key, fresh);
    }
    if (count <= mostExpected) return;
    expected.clear();
    count = 0;
  }
  const keyOf = (name: string, uid: number | null): string => `${uid ?? ''} ${name}`;

  return Object.freeze<Restarts>({
    expect: (record) => {
      const { name, uid, end, bootMs } = record;
      if (end?.kind === 'exited' && end.code === 0) return;
      if (count >= mostExpected) forget(bootMs);
      const key = keyOf(name, uid);
      expected.set(key, [...(expected.get(key) ?? []), record]);
      count += 1;
    },
    seen: ({ name, uid, ppid, argv, pid, atMs }, now) => {
      const key = keyOf(name, uid);
      const records = expected.get(key);
      const found = records?.findIndex((one) => one.pid !== pid && one.ppid === ppid && sameCommand(one.argv, argv));
      if (records === undefined || found === undefined || found === -1) return undefined;
      const [died] = records.splice(found, 1);
      count -= 1;
      if (records.length === 0) expected.delete(key);
      const at = now.wallMs - Math.max(0, now.monotonicMs - atMs);
      if (died === undefined || at - died.at > patienceMs) return undefined;
      return { at: Math.round(at), pid, name, died: died.pid, afterMs: Math.max(0, at - died.at) };
    },
  });
}
