import { basename } from 'node:path/posix';
import { commOfName } from '../../targets/name-match.ts';
import type { DeathRecord } from '../death-record.ts';

/** Whose deaths are wanted; all that is given must fit. */
export interface DeathsWanted {
  readonly pid?: number;
  readonly name?: string;
  /** From the root of the hierarchy; those below it count as well. */
  readonly cgroup?: string;
  /** The beginning of its identity, or its name with LXC. */
  readonly container?: string;
  /** Leave out those who exited with 0. */
  readonly failed?: boolean;
}

function isCalled({ name, argv }: DeathRecord, wanted: string): boolean {
  return name === wanted || (name === commOfName(wanted) && basename(argv?.[0] ?? '') === wanted);
}

function isBelow(cgroup: string | null, wanted: string): boolean {
  return cgroup !== null && (wanted === '/' || cgroup === wanted || cgroup.startsWith(`${wanted}/`));
}

/** Is this death one of those that are wanted? */
export function isWanted(record: DeathRecord, { pid, name, cgroup, container, failed }: DeathsWanted): boolean {
  return (
    (pid === undefined || record.pid === pid) &&
    (name === undefined || isCalled(record, name)) &&
    (cgroup === undefined || isBelow(record.cgroup, cgroup)) &&
    (container === undefined || record.container?.startsWith(container) === true) &&
    !(failed === true && record.end?.kind === 'exited' && record.end.code === 0)
  );
}
