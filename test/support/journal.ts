import { type Engine, openEngine } from '../../src/experiment/engine.ts';
import type { Injection } from '../../src/experiment/injection.ts';
import type { KeptRun } from '../../src/experiment/runs.ts';

/** Nothing is repaired by looking. */
function look<Seen>(stateDir: string, see: (engine: Engine) => Seen): Seen {
  const engine = openEngine({
    stateDir,
    via: 'test',
    program: [],
    interrupted: new AbortController().signal,
    observe: () => undefined,
  });
  try {
    return see(engine);
  } finally {
    engine.close();
  }
}

/** Everything a state folder's journal says, the oldest injection first. */
export function readJournal(stateDir: string): readonly Injection[] {
  return look(stateDir, (engine) => engine.list({ ascending: true }).map(({ uid }) => engine.find(uid)));
}

/** All runs of experiments, the newest first. */
export function readRuns(stateDir: string): readonly KeptRun[] {
  return look(stateDir, ({ runs }) => runs.list(1_000).map(({ uid }) => runs.find(uid)));
}
