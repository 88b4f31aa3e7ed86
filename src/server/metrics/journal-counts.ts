import type { JournalEvent } from '../../experiment/tail.ts';
import { faults } from '../../faults/registry.ts';
import type { Families } from './families.ts';

const verdicts = ['confirmed', 'mismatch', 'inconclusive'] as const;

const isEnd = (type: string): boolean => type === 'recovered' || type === 'failed' || type === 'unrecoverable';

interface Labels {
  readonly fault: string;
  readonly action: string;
}

/** An event that belongs to an injection. */
interface Subject extends Labels {
  readonly uid: string;
}

function subjectOf({ uid, kind, action }: JournalEvent): Subject | undefined {
  return uid === null || kind === null || action === null ? undefined : { uid, fault: kind, action };
}

/** Every action of every fault, as labels. */
export const everyAction: readonly Labels[] = faults.flatMap(({ kind, actions }) =>
  Object.keys(actions).map((action) => ({ fault: kind, action })),
);

/** Have everything at zero from the beginning: of a series that begins at one, nobody sees that it grew. */
function beginAtZero({ injections, recoveries, recoverySeconds }: Families): void {
  for (const labels of everyAction) {
    for (const verdict of verdicts) {
      for (const state of ['injected', 'unrecoverable', 'failed']) injections.inc({ ...labels, verdict, state }, 0);
    }
    injections.inc({ ...labels, verdict: 'none', state: 'failed' }, 0);
    for (const state of ['recovered', 'injected', 'unrecoverable', 'failed']) recoveries.inc({ ...labels, state }, 0);
    recoverySeconds.zero({ ...labels });
  }
}

/** Counts what the journal tells. */
export interface JournalCounts {
  /** @param next the event that follows, where there is one */
  count(event: JournalEvent, next: JournalEvent | undefined): void;
}

export function journalCounts(families: Families): JournalCounts {
  const { injections, recoveries, recoverySeconds } = families;
  /** When the recoveries that are under way began, in CLOCK_BOOTTIME ms, by uid. */
  const begun = new Map<string, number>();
  beginAtZero(families);

  function recoveryEnded({ uid, fault, action }: Subject, state: string, bootMs: number | undefined): void {
    const beganMs = begun.get(uid);
    begun.delete(uid);
    recoveries.inc({ fault, action, state });
    if (beganMs === undefined || bootMs === undefined) return;
    recoverySeconds.observe({ fault, action }, Math.max(bootMs - beganMs, 0) / 1000);
  }
  /** The state that follows an injection is the very next event, of the same transaction, unless it is `injected`. */
  function injected({ uid, fault, action }: Subject, event: JournalEvent, next: JournalEvent | undefined): void {
    const state = next !== undefined && next.uid === uid && isEnd(next.type) ? next.type : 'injected';
    const verdict = verdicts.find((one) => one === event.data['verdict']) ?? 'none';
    injections.inc({ fault, action, verdict, state });
  }
  function recovering(subject: Subject, bootMs: number): void {
    // Nobody saw the end of the one before: its process died, or it could not undo all.
    if (begun.has(subject.uid)) recoveryEnded(subject, 'injected', undefined);
    begun.set(subject.uid, bootMs);
  }
  function ended(subject: Subject, { type, bootMs, injected: wasInjected }: JournalEvent): void {
    // What fails right after it was injected, or is a plain kill, was no recovery.
    if (begun.has(subject.uid) || type === 'recovered' || !wasInjected) recoveryEnded(subject, type, bootMs);
    // It was undone before it was injected whole, and is counted by that.
    if (!wasInjected) injections.inc({ fault: subject.fault, action: subject.action, verdict: 'none', state: type });
  }
  return Object.freeze<JournalCounts>({
    count: (event, next) => {
      const { type, bootMs } = event;
      const subject = subjectOf(event);
      if (subject === undefined) return;
      if (type === 'injected') injected(subject, event, next);
      else if (type === 'recovering') recovering(subject, bootMs);
      else if (isEnd(type)) ended(subject, event);
      else if (type === 'verdict' && event.state === 'injected' && begun.has(subject.uid)) {
        // A recovery ends with its verdicts; where the injection is as before by then, not all was undone.
        recoveryEnded(subject, 'injected', bootMs);
      }
    },
  });
}
