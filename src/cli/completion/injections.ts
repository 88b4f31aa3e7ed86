import { existsSync } from 'node:fs';
import { join } from 'node:path';
import type { RecordDocument } from '../../api/documents.ts';
import type { Engine } from '../../experiment/engine.ts';
import type { Operations } from '../../api/operations.ts';
import type { InjectionState } from '../../base/lifecycle.ts';
import { serverNamed } from '../connection-options.ts';
import { type Candidate, candidate } from './candidate.ts';
import type { Wanted } from './wanted.ts';

/** More would be no help in choosing. */
const mostListed = 100;

/** Nobody waits longer for a word than it takes to type it, in milliseconds. */
const servicePatienceMs = 2_000;

function described({ kind, action, state, createdAt }: RecordDocument): string {
  return `${kind} ${action}, ${state}, ${createdAt.slice(0, 19)}Z`;
}

type Listing<Item> = (operations: Operations) => Promise<readonly Item[]>;

/** Where there is no journal none is made. */
async function ofJournal<Item>(
  stateDir: string | undefined,
  list: (engine: Engine) => readonly Item[] | Promise<readonly Item[]>,
): Promise<readonly Item[]> {
  const { openEngine } = await import('../../experiment/engine.ts');
  const engine = openEngine({
    stateDir,
    via: 'completion',
    program: [],
    interrupted: new AbortController().signal,
    observe: () => undefined,
  });
  try {
    if (!existsSync(join(engine.stateDir, 'faultline.db'))) return [];
    return await list(engine);
  } finally {
    engine.close();
  }
}

async function ofService<Item>(server: string, { connection }: Wanted, list: Listing<Item>): Promise<readonly Item[]> {
  const { connectionTo } = await import('../remote/connection.ts');
  const { openClient } = await import('../remote/client.ts');
  const { remoteOperations } = await import('../remote/operations.ts');
  const signal = AbortSignal.timeout(servicePatienceMs);
  const client = await openClient(connectionTo(server, connection), { signal, trace: () => undefined });
  try {
    return await list(remoteOperations(client));
  } finally {
    client.close();
  }
}

/** What there is on the service, or in the journal, that the line or the environment names. */
export async function withListing<Item>(wanted: Wanted, list: Listing<Item>): Promise<readonly Item[]> {
  const server = serverNamed(wanted.connection);
  if (server !== undefined) return await ofService(server, wanted, list);
  const { localOperations } = await import('../../api/local.ts');
  return await ofJournal(wanted.stateDir, (engine) => list(localOperations(engine)));
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
  const filter = { limit: mostListed, ...(states === undefined ? {} : { states }) };
  const records = await withListing(wanted, async (operations) => (await operations.list(filter)).items);
  return records.map((record) => candidate(record.uid, described(record)));
}

/**
 * The runs of experiments in the journal, the newest first.
 *
 * @throws {FaultlineError} STATE_…: the journal cannot be read
 */
export async function runCandidates(stateDir: string | undefined): Promise<readonly Candidate[]> {
  const records = await ofJournal(stateDir, (engine) => engine.runs.list(mostListed));
  return records.map(({ uid, name, verdict, startedAt }) => {
    const began = new Date(startedAt).toISOString().slice(0, 19);
    return candidate(uid, `${name}, ${verdict ?? 'goes on'}, ${began}Z`);
  });
}
