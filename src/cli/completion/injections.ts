import { existsSync } from 'node:fs';
import { join } from 'node:path';
import type { RecordDocument } from '../../api/documents.ts';
import type { ListFilter } from '../../api/operations.ts';
import type { InjectionState } from '../../base/lifecycle.ts';
import { serverNamed } from '../connection-options.ts';
import { type Candidate, candidate } from './candidate.ts';
import type { Wanted } from './values.ts';

/** More would be no help in choosing. */
const mostInjections = 100;

/** Nobody waits longer for a word than it takes to type it, in milliseconds. */
const servicePatienceMs = 2_000;

function described({ kind, action, state, createdAt }: RecordDocument): string {
  return `${kind} ${action}, ${state}, ${createdAt.slice(0, 19)}Z`;
}

/** Where there is no journal none is made. */
async function ofJournal(stateDir: string | undefined, filter: ListFilter): Promise<readonly RecordDocument[]> {
  const { openEngine } = await import('../../experiment/engine.ts');
  const { localOperations } = await import('../../api/local.ts');
  const engine = openEngine({
    stateDir,
    via: 'completion',
    keeperCommand: [],
    interrupted: new AbortController().signal,
    observe: () => undefined,
  });
  try {
    if (!existsSync(join(engine.stateDir, 'faultline.db'))) return [];
    return (await localOperations(engine).list(filter)).items;
  } finally {
    engine.close();
  }
}

async function ofService(server: string, { connection }: Wanted, filter: ListFilter) {
  const { connectionTo } = await import('../remote/connection.ts');
  const { openClient } = await import('../remote/client.ts');
  const { remoteOperations } = await import('../remote/operations.ts');
  const signal = AbortSignal.timeout(servicePatienceMs);
  const client = await openClient(connectionTo(server, connection), { signal, trace: () => undefined });
  try {
    return (await remoteOperations(client).list(filter)).items;
  } finally {
    client.close();
  }
}

/**
 * The injections of the service or in the journal, the newest first.
 *
 * @throws {FaultlineError} STATE_…: the journal cannot be read; SERVER_…: the service cannot be asked
 */
export async function uidCandidates(
  wanted: Wanted,
  states: readonly InjectionState[] | undefined,
): Promise<readonly Candidate[]> {
  const filter = { limit: mostInjections, ...(states === undefined ? {} : { states }) };
  const server = serverNamed(wanted.connection);
  const records = await (server === undefined ? ofJournal(wanted.stateDir, filter) : ofService(server, wanted, filter));
  return records.map((record) => candidate(record.uid, described(record)));
}
