import type { DeathSource, SeenDeath, SeenEvent } from './event.ts';
import { openProcConnector, type ProcConnector, type ProcEvent } from './proc-connector.ts';
import { processMemory, type ProcessMemory, unknownName } from './process-memory.ts';
import { processEnds, sleptMs } from './process-ends.ts';
import { startTimeMs } from '../clock.ts';

/*
 * Deaths by the process connector alone: who ended and how. Who he was is read from /proc while he lives.
 */

const nobody = {
  nsPid: null,
  namespaces: [],
  ppid: null,
  name: unknownName,
  uid: null,
  cgroup: null,
  startTimeTicks: null,
  argv: null,
};

/** One who ended, with what is remembered of him. */
function deathOf(exit: ProcEvent & { readonly kind: 'exit' }, memory: ProcessMemory): SeenDeath {
  const { pid, ppid, status, atMs } = exit;
  const known = memory.take(pid) ?? { pid, ...nobody };
  const { startTimeTicks } = known;
  const bornMs = startTimeTicks === null ? null : startTimeMs({ startTimeTicks });
  return {
    kind: 'death',
    ...known,
    ppid: ppid ?? known.ppid,
    atMs,
    status,
    ageMs: bornMs === null ? null : Math.max(0, atMs + sleptMs() - bornMs),
    signal: null,
    oom: null,
  };
}

/** What an event of the connector means, where it means anything to whoever watches deaths. */
export function seenOf(event: ProcEvent, memory: ProcessMemory): SeenEvent | undefined {
  switch (event.kind) {
    case 'fork':
      memory.forked(event.parent, event.pid);
      return undefined;
    case 'comm':
      memory.learn(event.pid);
      return undefined;
    case 'exec': {
      const known = memory.execed(event.pid);
      return known === undefined ? undefined : { kind: 'exec', ...known, atMs: event.atMs };
    }
    case 'exit':
      return deathOf(event, memory);
  }
}

/**
 * Watch by the process connector; what it needs is said there.
 *
 * @throws {FaultlineError} HOST_UNSUPPORTED
 * @throws {SyscallError} EPERM
 */
export function openConnectorSource(): DeathSource {
  const connector: ProcConnector = openProcConnector();
  const memory = processMemory();
  const ends = processEnds();
  return Object.freeze<DeathSource>({
    kind: 'proc-connector',
    cannot: [
      'who sent a signal',
      'whom the OOM killer chose',
      'who it was, where a process lives for less than a few hundredths of a second',
    ],
    read: () => ends(connector.read()).flatMap((event) => seenOf(event, memory) ?? []),
    dropped: () => connector.dropped(),
    close: () => {
      connector.close();
    },
  });
}
