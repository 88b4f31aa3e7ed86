import { createInterface } from 'node:readline';
import { mountIdsSeenBy, type SideKind, type VolumeSide, volumeSide } from '../../src/linux/repoint/volume-side.ts';
import { statusOf } from '../../src/linux/repoint/file-status.ts';
import { repoint, type RepointReport } from '../../src/linux/repoint/repoint.ts';
import type { SwapOrder } from '../host/repoint/swapper.ts';

/*
 * Moves processes between the two sides of a volume, as it is told on its input: a line of JSON an order, a line an
 * answer. Descriptors 3 and 4 are the volume's folder on its two sides.
 */

const folders: Readonly<Record<SideKind, number>> = { original: 3, overlay: 4 };
const overlayMount = statusOf(folders.overlay).mountId;

function side(kind: SideKind): VolumeSide {
  const mountIds = kind === 'overlay' ? [overlayMount] : mountIdsSeenBy('self', [overlayMount]);
  return volumeSide({ kind, rootFd: folders[kind], mountIds });
}

function obey(order: SwapOrder): RepointReport {
  const { towards, trap, maxRounds, deadlineMs = 20_000, rescuePids = [] } = order;
  // The test itself holds the volume's folders.
  const scope = { ...order.scope, except: new Set([process.ppid]) };
  let passed = 0;
  return repoint({
    from: side(towards === 'overlay' ? 'original' : 'overlay'),
    to: side(towards),
    scope,
    deadlineMs,
    rescuePids,
    ...(maxRounds === undefined ? {} : { maxRounds }),
    onStep(step, pid) {
      if (trap === undefined || trap.step !== step || (trap.pid !== undefined && trap.pid !== pid)) return;
      passed += 1;
      if (passed !== (trap.time ?? 1)) return;
      if (trap.deed === 'throw') throw new Error('the trap');
      process.kill(process.pid, 'SIGKILL');
    },
  });
}

for await (const line of createInterface({ input: process.stdin })) {
  const report = obey(JSON.parse(line) as SwapOrder);
  const said = JSON.stringify(report, (_, value: unknown) => (value instanceof Error ? value.message : value));
  process.stdout.write(`${said}\n`);
}
