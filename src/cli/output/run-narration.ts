import type { RunObserver } from '../../runner/events.ts';
import { liveLines } from './live-lines.ts';
import { eventLine, tickLines } from './run-text.ts';
import { remark } from './style.ts';

/** Tells of a run while it goes on, on stderr: a line for what happens, and on a terminal the numbers of just now. */
export interface Narration {
  readonly observe: RunObserver;
  end(): void;
}

export function narrateRun(): Narration {
  const live = liveLines();
  let toldMs = 0;
  return Object.freeze<Narration>({
    observe: (event) => {
      if (event.kind === 'tick') live.show(tickLines(event));
      // Of a phase is told when what came before it has been judged, later than it began. A reader wants one clock.
      if (event.kind === 'phase') toldMs = Math.max(toldMs, event.atMs);
      if (event.kind === 'entry') toldMs = Math.max(toldMs, event.entry.atMs);
      const line = eventLine(event, toldMs);
      if (line !== undefined) remark(line);
    },
    end: () => {
      live.clear();
    },
  });
}
