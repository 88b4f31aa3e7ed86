import { existsSync } from 'node:fs';
import { join } from 'node:path';
import type { InjectionState } from '../../base/lifecycle.ts';
import type { InjectionRecord } from '../../experiment/engine.ts';
import { type Candidate, candidate } from './candidate.ts';

/** More would be no help in choosing. */
const mostInjections = 100;

function described({ kind, action, state, createdAt }: InjectionRecord): string {
  return `${kind} ${action}, ${state}, ${new Date(createdAt).toISOString().slice(0, 19)}Z`;
}

/**
 * The injections in the journal, the newest first. Where there is no journal none is made.
 *
 * @throws {FaultlineError} STATE_…: the journal cannot be read
 */
export async function uidCandidates(
  stateDir: string | undefined,
  states: readonly InjectionState[] | undefined,
): Promise<readonly Candidate[]> {
  const { openEngine } = await import('../../experiment/engine.ts');
  const engine = openEngine({
    stateDir,
    via: 'completion',
    keeperCommand: [],
    interrupted: new AbortController().signal,
    observe: () => undefined,
  });
  try {
    if (!existsSync(join(engine.stateDir, 'faultline.db'))) return [];
    const records = engine.list({ limit: mostInjections, ...(states === undefined ? {} : { states }) });
    return records.map((record) => candidate(record.uid, described(record)));
  } finally {
    engine.close();
  }
}
