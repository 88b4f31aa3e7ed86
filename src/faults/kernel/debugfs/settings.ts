import { FaultlineError } from '../../../base/error.ts';
import {
  attributeFile,
  type FaultCapability,
  markedTasks,
  readSetting,
  requestSettings,
} from '../../../linux/fault-injection.ts';
import { failPoints, type FailType } from '../fail-points.ts';
import type { KernelSpec } from '../spec.ts';

/*
 * What is set in debugfs so that calls fail: the kernel has each setting once, whoever asks.
 */

/** A file, and what it is to hold. Plain JSON. */
export interface Setting {
  readonly file: string;
  readonly value: string;
}

/** The most that the kernel takes: its `times` is an int. */
const maxTimes = 0x7fff_ffff;

/** Where `times` begins to count down; where there is no end, from so far that it still tells how many there were. */
export function firstTimes({ times }: KernelSpec): number {
  return Math.min(times ?? maxTimes, maxTimes);
}

/** Besides what all types have: without these, hardly any call could fail. */
const ofType: Readonly<Record<FailType, readonly (readonly [string, string])[]>> = {
  slab: [
    ['ignore-gfp-wait', 'N'],
    ['cache-filter', 'N'],
  ],
  page: [
    ['ignore-gfp-wait', 'N'],
    ['ignore-gfp-highmem', 'N'],
    ['min-order', '0'],
  ],
  bio: [],
};

/** Where the type that fails is set up. */
function capabilityOf({ failtype }: KernelSpec): FaultCapability {
  if (failtype === null) throw new Error('only the three types have settings');
  return failPoints[failtype].capability;
}

/** Nothing fails while this is nought: the first that is set, and the last. */
export function probabilityFile(spec: KernelSpec): string {
  return attributeFile(capabilityOf(spec), 'probability');
}

export function timesFile(spec: KernelSpec): string {
  return attributeFile(capabilityOf(spec), 'times');
}

/** Everything that is set before threads are marked, in this order. */
export function settingsFor(spec: KernelSpec): readonly Setting[] {
  const { failtype } = spec;
  const capability = capabilityOf(spec);
  const own = failtype === null ? [] : ofType[failtype];
  const attributes: readonly (readonly [string, string])[] = [
    ['probability', '0'],
    ['task-filter', 'Y'],
    ['interval', '1'],
    ['space', '0'],
    ['verbose', '0'],
    ['times', String(firstTimes(spec))],
    ...own,
  ];
  return [
    ...attributes.map(([name, value]) => ({ file: attributeFile(capability, name), value })),
    ...(failtype === 'bio' ? requestSettings().map((file) => ({ file, value: '1' })) : []),
  ];
}

/** What the files of settings hold now; those that this kernel lacks are left out. */
export function settingsNow(settings: readonly Setting[]): readonly Setting[] {
  return settings.flatMap(({ file }) => {
    const value = readSetting(file);
    return value === undefined ? [] : [{ file, value }];
  });
}

/**
 * Is somebody else using the kernel's fault injection? There is only one.
 *
 * @throws {FaultlineError} GUARD_CONFLICT
 */
export function refuseInUse(spec: KernelSpec): void {
  const capability = capabilityOf(spec);
  const probability = readSetting(probabilityFile(spec)) ?? '0';
  if (probability !== '0') {
    throw new FaultlineError(
      'GUARD_CONFLICT',
      `/sys/kernel/debug/${capability} is in use: probability ${probability}`,
      {
        hint: 'whoever set it up has to set it to 0 first',
      },
    );
  }
  const [marked] = [...markedTasks('make-it-fail'), ...markedTasks('fail-nth')];
  if (marked === undefined) return;
  throw new FaultlineError(
    'GUARD_CONFLICT',
    `thread ${marked.tid} of process ${marked.pid} is marked to fail already`,
    {
      hint: 'make-it-fail or fail-nth of it in /proc is not 0, and was not set by this',
    },
  );
}
