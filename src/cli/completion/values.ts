import { readFileSync } from 'node:fs';
import { liveStates } from '../../base/lifecycle.ts';
import type { Completion } from '../../base/schema.ts';
import { serverNamed } from '../connection-options.ts';
import { signalNames } from '../../linux/signals.ts';
import { type Answer, type Candidate, candidate } from './candidate.ts';
import type { Wanted } from './wanted.ts';

/** Where the values of a flag or an argument come from. */
export type Source = (wanted: Wanted) => Answer | Promise<Answer>;

function words(candidates: readonly Candidate[]): Answer {
  return { what: 'words', candidates };
}

/** Fixed words, in the order given. */
export function oneOf(values: readonly string[]): Source {
  return () => words(values.map((value) => candidate(value)));
}

/** Fixed words; files as soon as what is typed begins none of them. */
export function wordsOrFiles(values: readonly string[]): Source {
  return ({ typed }) =>
    values.some((value) => value.startsWith(typed))
      ? words(values.map((value) => candidate(value)))
      : { what: 'files' };
}

/** The last of several words with something between them; none of them twice. */
export function listOf(values: readonly string[], separator: string): Source {
  return ({ typed }) => {
    const begun = typed.slice(0, typed.lastIndexOf(separator) + 1);
    const given = begun.split(separator);
    return words(values.filter((value) => !given.includes(value)).map((value) => candidate(begun + value)));
  };
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

/** Schedules, in the same way. @param ended only those that have ended, or only those that have not */
export function schedules(ended?: boolean): Source {
  return async (wanted) => {
    const { scheduleCandidates } = await import('./schedules.ts');
    return words(await scheduleCandidates(wanted, ended));
  };
}

/** Runs of experiments in the journal. No service tells of them. */
export const runs: Source = async ({ stateDir }) => {
  const { runCandidates } = await import('./injections.ts');
  const found = await runCandidates(stateDir);
  return words(found.length === 0 ? [] : [candidate('latest', 'the newest run'), ...found]);
};

/** What is here is not what is where a service on another host will look. */
function ofThisHost(find: (typed: string) => Promise<readonly Candidate[]> | readonly Candidate[]): Source {
  return async ({ typed, connection }) => {
    const server = serverNamed(connection);
    if (server === undefined) return words(await find(typed));
    const { isLoopback } = await import('../remote/connection.ts');
    return words(isLoopback(new URL(server)) ? await find(typed) : []);
  };
}

/** For each kind of value that a fault's schema may name. */
export const sourceOfKind: Readonly<Record<Completion, Source>> = {
  process: ofThisHost(async (typed) => (await import('./processes.ts')).processCandidates(typed)),
  signal: ({ typed }) => words(signalCandidates(typed)),
  uid: uids('all'),
  user: ofThisHost(userCandidates),
  cgroup: ofThisHost(async (typed) => (await import('./cgroups.ts')).cgroupCandidates(typed)),
  duration: oneOf(['10s', '30s', '1m', '5m', '1h']),
  file: () => ({ what: 'files' }),
  none: oneOf([]),
};
