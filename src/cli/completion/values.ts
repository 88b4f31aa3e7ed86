import { readFileSync } from 'node:fs';
import { liveStates } from '../../base/lifecycle.ts';
import type { Completion } from '../../base/schema.ts';
import type { ConnectionFlags } from '../connection-options.ts';
import { signalNames } from '../../linux/signals.ts';
import { type Answer, type Candidate, candidate } from './candidate.ts';

/** What the values depend on beside the flag or argument that they are for. */
export interface Wanted {
  readonly typed: string;
  /** `--state-dir`, if it was given on the line. */
  readonly stateDir: string | undefined;
  /** The flags of a service that were given on the line. */
  readonly connection: ConnectionFlags;
}

/** Where the values of a flag or an argument come from. */
export type Source = (wanted: Wanted) => Answer | Promise<Answer>;

function words(candidates: readonly Candidate[]): Answer {
  return { what: 'words', candidates };
}

/** Fixed words, in the order given. */
export function oneOf(values: readonly string[]): Source {
  return () => words(values.map((value) => candidate(value)));
}

/** Names begin with SIG, and may be written without; whoever types a digit wants a number. */
function signalCandidates(typed: string): readonly Candidate[] {
  const signals = signalNames().map((name, index) => ({ name, number: String(index + 1) }));
  if (/^\d/.test(typed)) return signals.map(({ name, number }) => candidate(number, name));
  const long = signals.map(({ name, number }) => candidate(name, number));
  if (typed === '' || typed.startsWith('SI')) return long;
  return [...long, ...long.map(({ value, description }) => candidate(value.slice('SIG'.length), description))];
}

/** The users of this host's own file; those of a directory service may be too many to ask for. */
function userCandidates(): readonly Candidate[] {
  const users = readFileSync('/etc/passwd', 'utf8').split('\n');
  return users.flatMap((line) => {
    const [name = '', , uid = ''] = line.split(':');
    return /^\d+$/.test(uid) && name !== '' ? [candidate(name, `uid ${uid}`)] : [];
  });
}

/** Injections of the service, or of the journal, that the line or the environment names. */
export function uids(which: 'all' | 'live'): Source {
  return async (wanted) => {
    const { uidCandidates } = await import('./injections.ts');
    return words(await uidCandidates(wanted, which === 'live' ? liveStates : undefined));
  };
}

/** For each kind of value that a fault's schema may name. */
export const sourceOfKind: Readonly<Record<Completion, Source>> = {
  process: async ({ typed }) => words((await import('./processes.ts')).processCandidates(typed)),
  signal: ({ typed }) => words(signalCandidates(typed)),
  uid: uids('all'),
  user: () => words(userCandidates()),
  cgroup: async ({ typed }) => words((await import('./cgroups.ts')).cgroupCandidates(typed)),
  duration: oneOf(['10s', '30s', '1m', '5m', '1h']),
  file: () => ({ what: 'files' }),
  none: oneOf([]),
};
