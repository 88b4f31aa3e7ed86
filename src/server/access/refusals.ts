import { FaultlineError } from '../../base/error.ts';
import { type JsonObject, textOf } from '../../base/json.ts';
import { listed } from '../../base/text.ts';

/** Who was refused what, and why. */
export interface Refused {
  /** How they came and from where, and as whom as far as it is known. */
  readonly actor: JsonObject;
  /** What they asked for, without secrets. */
  readonly asked: JsonObject;
  readonly error: FaultlineError;
}

export interface RefusalLimits {
  /** So many refusals are written down one by one… */
  readonly each: number;
  /** …in this many milliseconds; of the others their number. */
  readonly windowMs: number;
}

export interface RefusalLog {
  add(refused: Refused): void;
  /** Write down what was only counted so far. */
  close(): void;
}

const defaultLimits: RefusalLimits = { each: 30, windowMs: 60_000 };

/** Of how many addresses a count is kept. */
const mostAddresses = 100;

/** At most one refusal for all that were not written down. */
function summary(counts: ReadonlyMap<string, number>, windowMs: number): Refused {
  const total = [...counts.values()].reduce((sum, count) => sum + count, 0);
  const busiest = [...counts].sort(([, a], [, b]) => b - a).map(([address, count]) => `${address} (${count})`);
  const sentence = `${total} more requests were refused within ${windowMs / 1000} s, from ${listed(busiest)}`;
  return {
    actor: { via: 'http' },
    asked: { refused: total },
    error: new FaultlineError('TOO_MANY_REQUESTS', sentence),
  };
}

/**
 * A log of refusals that nobody can fill a disk with: who may not come in may still knock a thousand times a second.
 *
 * @param write puts one entry into the audit log; it must not throw
 */
export function refusalLog(write: (refused: Refused) => void, limits: RefusalLimits = defaultLimits): RefusalLog {
  let written = 0;
  let counts = new Map<string, number>();
  let timer: NodeJS.Timeout | undefined;
  function endWindow(): void {
    clearTimeout(timer);
    timer = undefined;
    written = 0;
    if (counts.size === 0) return;
    const ended = counts;
    counts = new Map();
    write(summary(ended, limits.windowMs));
  }
  return Object.freeze({
    add: (refused: Refused) => {
      timer ??= setTimeout(endWindow, limits.windowMs).unref();
      if (written < limits.each) {
        written += 1;
        write(refused);
        return;
      }
      const address = textOf(refused.actor['address'] ?? 'an unknown address');
      const key = counts.has(address) || counts.size < mostAddresses ? address : 'other addresses';
      counts.set(key, (counts.get(key) ?? 0) + 1);
    },
    close: endWindow,
  });
}
