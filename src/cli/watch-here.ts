import { FaultlineError } from '../base/error.ts';
import { printable } from '../base/text.ts';
import type { Engine } from '../experiment/engine.ts';
import { findContainer } from '../forensics/host/containers.ts';
import { type Sight, watchDeaths } from '../forensics/watch/watch.ts';
import type { DeathsWanted } from '../forensics/watch/wanted.ts';
import { hierarchyPath } from '../linux/cgroup-path.ts';
import { openDeathSource } from '../linux/death-events/open-source.ts';
import { withEngine } from './engine-session.ts';
import { remark } from './output/style.ts';
import type { Watching, WatchRequest } from './watch-session.ts';

/** The identity of a container, or its beginning. */
async function containerId(given: string): Promise<string> {
  const known = await findContainer(given);
  if (known !== undefined) return known.id.slice(0, 12);
  remark(`Note: neither docker nor podman knows ${printable(given)}: it is taken for an identity, or a name of LXC`);
  return /^[0-9a-f]{12,64}$/.test(given) ? given.slice(0, 12) : given;
}

async function wantedOf({ wanted, container, cgroup }: WatchRequest): Promise<DeathsWanted> {
  return {
    ...wanted,
    ...(container === undefined ? {} : { container: await containerId(container) }),
    ...(cgroup === undefined ? {} : { cgroup: hierarchyPath(cgroup) }),
  };
}

/** Whose deaths the journal has injections for; a journal that cannot be read must not end the watch. */
function attributing(engine: Engine): (sights: readonly Sight[]) => readonly Sight[] {
  let failed = false;

  function attributed(sights: readonly Sight[]): readonly Sight[] {
    const records = engine.attributeDeaths(sights.flatMap((sight) => (sight.kind === 'death' ? [sight.record] : [])));
    const next = records.values();
    return sights.map((sight) =>
      sight.kind === 'death' ? { kind: 'death', record: next.next().value ?? sight.record } : sight,
    );
  }
  return (sights) => {
    if (failed || sights.length === 0) return sights;
    try {
      return attributed(sights);
    } catch (error) {
      if (!(error instanceof FaultlineError)) throw error;
      failed = true;
      remark(`Warning: what injections did is not told: ${error.message}`);
      return sights;
    }
  };
}

/** Watch in this process. */
export const watchHere: Watching = async (invocation, request, body) => {
  await withEngine(invocation, { via: 'cli', supervise: false }, async (engine) => {
    const { source, refused } = openDeathSource(request.source);
    try {
      const watch = watchDeaths(source, await wantedOf(request));
      const attribute = attributing(engine);
      const look = (isLast: boolean): readonly Sight[] => attribute(watch.look(isLast));
      const { kind, cannot } = source;
      await body({ source: kind, cannot, refused, where: null, look, dropped: () => source.dropped() });
    } finally {
      source.close();
    }
  });
};
