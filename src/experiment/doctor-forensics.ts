import { FaultlineError } from '../base/error.ts';
import type { Requirement } from '../faults/fault.ts';
import { openDeathSource } from '../linux/death-events/open-source.ts';
import { readKmsg } from '../linux/kmsg.ts';

/** By what deaths would be watched here: it is opened, and closed again. */
function watch(): Requirement {
  const name = 'watch';
  try {
    const { source, refused } = openDeathSource();
    source.close();
    if (refused.length === 0 && source.cannot.length === 0) {
      return { name, status: 'ok', detail: `by ${source.kind}, which tells all` };
    }
    return {
      name,
      status: 'degraded',
      detail: `by ${source.kind}, which cannot tell ${source.cannot.join(', ')}`,
      remedy: refused.map(({ kind, why }) => `not by ${kind}: ${why}`).join('; '),
    };
  } catch (error) {
    if (!(error instanceof FaultlineError)) throw error;
    return { name, status: 'degraded', detail: error.message, remedy: error.hint ?? 'run as root' };
  }
}

function kernelLog(): Requirement {
  const name = 'kernel log';
  // Nothing of it is kept: whether it can be read is all that counts.
  const refusal = readKmsg(() => undefined);
  if (refusal === undefined) return { name, status: 'ok', detail: '/dev/kmsg tells of the OOM killer and of crashes' };
  const why = refusal === 'absent' ? 'there is no /dev/kmsg here' : '/dev/kmsg is for root';
  return {
    name,
    status: 'degraded',
    detail: `${why}: journalctl is asked instead, if it is there`,
    remedy: refusal === 'absent' ? 'run outside of the container, or give a saved log: why --log FILE' : 'run as root',
  };
}

/** What this host lets be known of deaths. Nothing of it is needed to attack. */
export function examineForensics(): readonly Requirement[] {
  return [watch(), kernelLog()];
}
