import { FaultlineError } from '../../base/error.ts';
import { memoryCgroupOf } from '../memory-cgroup.ts';
import { openBpfSource } from './bpf-source.ts';
import { openConnectorSource } from './connector-source.ts';
import type { DeathSource, DeathSourceKind } from './event.ts';
import { openTracefsSource } from './tracefs-source.ts';

/** The ways to see deaths, the one that tells most first. */
const deathSourceKinds: readonly DeathSourceKind[] = ['bpf', 'tracefs', 'proc-connector'];

/** One that was tried and cannot be had here. */
export interface RefusedSource {
  readonly kind: DeathSourceKind;
  readonly why: string;
}

export interface OpenedSource {
  readonly source: DeathSource;
  /** Those that would have told more. */
  readonly refused: readonly RefusedSource[];
}

const openers: Readonly<Record<DeathSourceKind, () => DeathSource>> = {
  bpf: () => openBpfSource({ memoryIsV1: memoryCgroupOf('self')?.version === 1 }),
  tracefs: openTracefsSource,
  'proc-connector': openConnectorSource,
};

/**
 * Watch all deaths on this host in the best way that there is here.
 *
 * @param only in this way, or not at all
 * @throws {FaultlineError} HOST_UNSUPPORTED, PERMISSION_DENIED: there is none
 */
export function openDeathSource(only?: DeathSourceKind): OpenedSource {
  const refused: RefusedSource[] = [];
  let denied: unknown;
  for (const kind of only === undefined ? deathSourceKinds : [only]) {
    try {
      return { source: openers[kind](), refused };
    } catch (error) {
      if (!(error instanceof FaultlineError)) throw error;
      if (error.code === 'PERMISSION_DENIED') denied = error;
      refused.push({ kind, why: error.message });
    }
  }
  const reasons = refused.map(({ kind, why }) => `${kind}: ${why}`).join('; ');
  throw new FaultlineError(
    denied === undefined ? 'HOST_UNSUPPORTED' : 'PERMISSION_DENIED',
    `deaths cannot be watched here (${reasons})`,
    {
      hint: denied === undefined ? 'faultline why asks other witnesses' : 'run as root, outside of containers',
      details: { refused: refused.map((one) => ({ ...one })) },
    },
  );
}
