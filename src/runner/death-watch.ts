import { isFaultlineError } from '../base/error.ts';
import { printable } from '../base/text.ts';
import type { Engine } from '../experiment/engine.ts';
import type { DeathRecord } from '../forensics/death-record.ts';
import { endText, oomText, senderText, whoText } from '../forensics/death-text.ts';
import type { DeathWatch } from '../forensics/watch/watch.ts';
import { isWanted } from '../forensics/watch/wanted.ts';
import type { DeathSource } from '../linux/death-events/event.ts';
import { signalName } from '../linux/signals.ts';
import { identityKey } from '../targets/identity.ts';
import { isPidText } from '../targets/name-match.ts';
import type { Experiment } from './experiment.ts';
import { processKeys } from './injection-document.ts';
import type { RunDeathDocument } from './result.ts';
import type { Scene } from './scene.ts';

/*
 * Who dies while the run goes on, of those whom it is about: targets of its injections, and processes that its probes
 * count. The kernel tells of all deaths; the others are left out.
 */

/** A source of deaths, opened before the run begins, since that takes a while. */
export interface DeathWitness {
  /** undefined: deaths cannot be watched here. */
  readonly watch: DeathWatch | undefined;
  /** What is to be known of how deaths are watched. */
  readonly note: string;
  close(): void;
}

const none = (note: string): DeathWitness => ({ watch: undefined, note, close: () => undefined });

export async function openDeathWitness(): Promise<DeathWitness> {
  const [{ openDeathSource }, { watchDeaths }] = await Promise.all([
    import('../linux/death-events/open-source.ts'),
    import('../forensics/watch/watch.ts'),
  ]);
  try {
    const { source }: { readonly source: DeathSource } = openDeathSource();
    const cannot = source.cannot.length === 0 ? '' : `; it cannot tell ${source.cannot.join(', nor ')}`;
    return {
      watch: watchDeaths(source, {}),
      note: `deaths are watched by ${source.kind}${cannot}`,
      close: () => {
        source.close();
      },
    };
  } catch (error) {
    if (!isFaultlineError(error)) throw error;
    return none(`deaths are not watched: ${error.message}`);
  }
}

/** How many deaths of strangers are kept for a while: an attack tells whom it hit only when it is over. */
const mostStrangers = 2_000;

function causeOf({ end, oom }: DeathRecord): string {
  if (oom !== null) return 'OOM killer';
  if (end === null) return 'unknown';
  return end.kind === 'signaled' ? (signalName(end.signal) ?? `signal ${end.signal}`) : `exit code ${end.code}`;
}

function sentenceOf(record: DeathRecord, stepOf: (uid: string) => string | undefined): string {
  const { injection, oom } = record;
  const details = [oom === null ? undefined : oomText(oom), injection === null ? senderText(record) : undefined];
  const step = injection === null ? undefined : stepOf(injection);
  const ours = injection === null ? [] : [`by us, injection ${injection}${step === undefined ? '' : ` (${step})`}`];
  const parts = [...ours, ...details.filter((part) => part !== undefined && part !== '')];
  return printable([`${whoText(record)} ${endText(record)}`, ...parts].join(', '));
}

function keyOf({ pid, startTimeTicks, bootId }: DeathRecord): string | undefined {
  return startTimeTicks === null ? undefined : identityKey({ pid, startTimeTicks, bootId });
}

/** Whom the probes count, by name or PID. */
function namedBy({ steadyState }: Experiment): (record: DeathRecord) => boolean {
  const names = steadyState.probes.flatMap(({ source }) => (source.kind === 'process' ? [source.process] : []));
  return (record) =>
    names.some((name) => isWanted(record, { name }) || (isPidText(name) && record.pid === Number(name)));
}

/** Deaths are kept for `faultline why` as well, unless a service does so. */
async function keep(engine: Engine, records: readonly DeathRecord[]): Promise<void> {
  if (records.length > 0 && engine.service() === undefined) await engine.recordDeaths(records);
}

export interface DeathWatcher {
  /**
   * Look who has died, and put those on the timeline whom the run is about.
   *
   * @param isLast there will be no other look
   */
  look(isLast?: boolean): Promise<void>;
}

/** @param watch what {@link openDeathWitness} gave */
export function watchDeathsOf(scene: Scene, watch: DeathWatch): DeathWatcher {
  const { engine, ledger, experiment, startBootMs } = scene;
  const isNamed = namedBy(experiment);
  let strangers: readonly DeathRecord[] = [];

  // Those that are planned are not in the journal yet, and have hit nobody.
  const injections = () => ledger.parts().injections.filter(({ state }) => state !== 'planned');
  function isOurs(record: DeathRecord, uids: ReadonlySet<string>, keys: ReadonlySet<string>): boolean {
    if (record.injection !== null && uids.has(record.injection)) return true;
    return isNamed(record) || keys.has(keyOf(record) ?? '');
  }
  function tell(record: DeathRecord): void {
    const { bootMs, pid, name, injection } = record;
    const stepOf = (uid: string): string | undefined => injections().find((one) => one.uid === uid)?.name;
    const sentence = sentenceOf(record, stepOf);
    const death: RunDeathDocument = {
      atMs: Math.max(bootMs - startBootMs, 0),
      pid,
      name: printable(name),
      cause: causeOf(record),
      injection,
      sentence,
    };
    ledger.addDeath(death);
    ledger.note(sentence);
  }
  return Object.freeze<DeathWatcher>({
    look: async (isLast) => {
      const seen = watch.look(isLast).flatMap((sight) => (sight.kind === 'death' ? [sight.record] : []));
      const waiting = engine.attributeDeaths([...strangers, ...seen]);
      if (waiting.length === 0) return;
      const uids = new Set(injections().map(({ uid }) => uid));
      const keys = new Set([...uids].flatMap((uid) => processKeys(engine.find(uid))));
      const ours = waiting.filter((record) => isOurs(record, uids, keys));
      strangers = waiting.filter((record) => !ours.includes(record)).slice(-mostStrangers);
      for (const record of ours) tell(record);
      await keep(engine, ours);
    },
  });
}
