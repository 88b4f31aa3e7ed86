import { SI_KERNEL, type SeenDeath, type SeenEvent, type SeenOom } from './event.ts';

/*
 * The OOM killer sends SIGKILL first and marks its victim then (__oom_kill_process of mm/oom_kill.c): a victim on
 * another processor may be gone before it is marked.
 */

/**
 * How long after a death was first seen its mark may come, in milliseconds: somebody else may have the processor of the
 * killer, and the reader may have been held up with it.
 */
const patienceMs = 200;

const SIGKILL = 9;

/** Killed by the kernel, for which the OOM killer is one of two reasons; the other is the end of a PID namespace. */
function lacksMark({ oom, signal, status }: SeenDeath): boolean {
  return oom === null && signal?.code === SI_KERNEL && ((status ?? 0) & 0x7f) === SIGKILL;
}

interface Held {
  readonly event: SeenEvent;
  readonly seenMs: number;
}

/**
 * Hold back whoever may yet be marked, and all that came after, so that the order stays.
 *
 * @param findMark what the OOM killer marked somebody with by now
 * @returns takes what was just seen, and whether nobody will ask again; gives what can be told
 */
export function heldForMarks(
  findMark: (death: SeenDeath) => SeenOom | null,
): (seen: readonly SeenEvent[], isLast: boolean) => readonly SeenEvent[] {
  let held: readonly Held[] = [];
  return (seen, isLast) => {
    const nowMs = performance.now();
    const all = [...held, ...seen.map((event) => ({ event, seenMs: nowMs }))].map(({ event, seenMs }) => ({
      seenMs,
      event: event.kind === 'death' && lacksMark(event) ? { ...event, oom: findMark(event) } : event,
    }));
    const mayBeMarked = ({ event, seenMs }: Held): boolean =>
      event.kind === 'death' && lacksMark(event) && nowMs - seenMs < patienceMs;
    const first = isLast ? -1 : all.findIndex(mayBeMarked);
    held = first === -1 ? [] : all.slice(first);
    return (first === -1 ? all : all.slice(0, first)).map(({ event }) => event);
  };
}
