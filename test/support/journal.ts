import { openEngine } from '../../src/experiment/engine.ts';
import type { Injection } from '../../src/experiment/injection.ts';

/** Everything a state folder's journal says, the oldest injection first; nothing is repaired by looking. */
export function readJournal(stateDir: string): readonly Injection[] {
  const engine = openEngine({
    stateDir,
    via: 'test',
    program: [],
    interrupted: new AbortController().signal,
    observe: () => undefined,
  });
  try {
    return engine.list({ ascending: true }).map(({ uid }) => engine.find(uid));
  } finally {
    engine.close();
  }
}
