import { closeSync } from 'node:fs';
import { afterEach } from 'vitest';
import type { JsonObject } from '../../src/base/json.ts';
import type { Effect, Journal, Plan } from '../../src/faults/fault.ts';
import { attachDesign } from '../../src/faults/kernel/attach.ts';
import { injectSettings } from '../../src/faults/kernel/debugfs/inject.ts';
import { failedCalls } from '../../src/faults/kernel/debugfs/observe.ts';
import { recoverSettings } from '../../src/faults/kernel/debugfs/recover.ts';
import { type FailureCounts, type Hit, type MapIds, readCounts, readHits } from '../../src/faults/kernel/maps.ts';
import { kernelPlanOf, planFailure, plannedDesign } from '../../src/faults/kernel/plan.ts';
import { maxThreads, threadBytes } from '../../src/faults/kernel/programs/layout.ts';
import { parseSpec } from '../../src/faults/kernel/spec.ts';
import { closeMap, openMap, readMap } from '../../src/linux/bpf/map.ts';
import { readHost } from '../../src/linux/host.ts';
import { protectedProcess } from '../../src/targets/protected.ts';

/*
 * Faults of the kernel without the command line around them: where QEMU translates, each command takes seconds.
 */

/** Calls that fail until it is ended, or the test is. */
export interface Failing {
  readonly plan: Plan;
  readonly way: string;
  readonly programIds: readonly number[];
  readonly counts: () => FailureCounts;
  readonly injected: () => number;
  readonly hits: () => readonly Hit[];
  /** How many threads are remembered as being in a frame. */
  readonly followed: () => number;
  readonly end: () => void;
}

const failing = new Set<Failing>();

/** For who looks at what is left afterwards. */
export function endFailures(): void {
  for (const one of failing) one.end();
}

afterEach(endFailures);

/** What the journal keeps, for as long as a test runs. */
function journalInMemory(effects: Effect[]): Journal {
  return {
    intend: (build) => {
      const made = build(() => []).map(
        (intent, id): Effect => ({
          ...intent,
          id,
          round: 0,
          status: 'intended',
          outcome: null,
          intendedBootMs: 0,
          settledBootMs: null,
        }),
      );
      effects.push(...made);
      return Promise.resolve(made);
    },
    settle: (settlements) => {
      for (const { effect, status, outcome } of settlements) effects[effect.id] = { ...effect, status, outcome };
    },
    release: () => Promise.resolve(new Map()),
    releaseOrThrow: () => Promise.resolve(),
    insist: true,
    progress: () => undefined,
    sleep: () => Promise.resolve(),
    throwIfCancelled: () => undefined,
  };
}

/** What `attack kernel` would do. @param input as over HTTP */
export async function planOf(input: JsonObject): Promise<Plan> {
  return planFailure(await parseSpec(input), {
    host: readHost(),
    site: { stateDir: '/nonexistent', program: [] },
    protection: protectedProcess({ names: [], allowListed: false }),
    round: 0,
    preview: false,
  });
}

async function bySettings(plan: Plan): Promise<Failing> {
  const effects: Effect[] = [];
  const journal = journalInMemory(effects);
  await injectSettings(plan, journal);
  const { spec } = kernelPlanOf(plan);
  const one: Failing = {
    plan,
    way: 'debugfs',
    programIds: [],
    counts: () => ({ frames: [], seen: 0, matched: 0, injected: failedCalls(spec) }),
    injected: () => failedCalls(spec),
    hits: () => [],
    followed: () => 0,
    end: () => {
      failing.delete(one);
      const [effect] = effects;
      if (effect !== undefined && effect.status !== 'undone') recoverSettings(effect, journal);
    },
  };
  return one;
}

/** Its map is made right after that of the hits; here nobody else makes any. */
function followedThreads({ hits }: MapIds, frames: number): number {
  const shape = { type: 'lruHash', keySize: 8, valueSize: threadBytes(frames), maxEntries: maxThreads } as const;
  const map = openMap(hits + 1, shape);
  if (map === undefined) throw new Error('the map of threads is gone');
  try {
    return readMap(map).length;
  } finally {
    closeMap(map);
  }
}

function byPrograms(plan: Plan): Failing {
  const { scope, spec, way } = kernelPlanOf(plan);
  const design = plannedDesign(plan)?.design;
  if (design === undefined || design === null) throw new Error('there is no design');
  const { fds, programIds, maps } = attachDesign(design, scope);
  const counts = (): FailureCounts => {
    const counted = readCounts(maps.counters, spec.frames.length);
    if (counted === undefined) throw new Error('the programs are gone');
    return counted;
  };
  let open = fds;
  const one: Failing = {
    plan,
    way,
    programIds,
    counts,
    injected: () => counts().injected,
    hits: () => readHits(maps.hits),
    followed: () => followedThreads(maps, spec.frames.length),
    end: () => {
      failing.delete(one);
      for (const fd of open) closeSync(fd);
      open = [];
    },
  };
  return one;
}

/** Make calls fail. @param input as over HTTP @param meanwhile what happens after it was planned */
export async function fail(input: JsonObject, meanwhile?: () => Promise<unknown>): Promise<Failing> {
  const plan = await planOf(input);
  await meanwhile?.();
  const one = kernelPlanOf(plan).way === 'debugfs' ? await bySettings(plan) : byPrograms(plan);
  failing.add(one);
  return one;
}
