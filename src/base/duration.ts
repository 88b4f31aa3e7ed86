import { FaultlineError } from './error.ts';
import { printable } from './text.ts';

/** Milliseconds in each unit of Go's `time.ParseDuration`, which chaosd and Chaos Mesh use, plus days. */
const unitMs: Readonly<Record<string, number>> = {
  ns: 1e-6,
  us: 1e-3,
  µs: 1e-3,
  μs: 1e-3,
  ms: 1,
  s: 1_000,
  m: 60_000,
  h: 3_600_000,
  d: 86_400_000,
};

const part = /(\d+(?:\.\d+)?|\.\d+)(ns|us|µs|μs|ms|s|m|h|d)/gy;

/** Longest duration that is accepted: 365 days, far below what a timer or a 53-bit integer can hold. */
export const maxDurationMs = 365 * 86_400_000;

function sumOfParts(text: string): number | undefined {
  let totalMs = 0;
  let end = 0;
  part.lastIndex = 0;
  for (let match = part.exec(text); match !== null; match = part.exec(text)) {
    totalMs += Number(match[1]) * (unitMs[match[2] ?? ''] ?? Number.NaN);
    end = part.lastIndex;
  }
  return end === text.length && end > 0 ? totalMs : undefined;
}

/**
 * A duration in Go's notation (`300ms`, `1.5s`, `1m30s`, `2h`, also `1d`) in milliseconds.
 *
 * Zero and negative durations mean nothing for a fault and are refused, as is a bare number, whose unit one could only
 * guess.
 *
 * @param what names the option in the error: `--duration`
 * @throws {FaultlineError} DURATION_INVALID
 */
export function parseDuration(text: string, what = 'duration'): number {
  const ms = sumOfParts(text);
  if (ms === undefined || ms <= 0 || ms > maxDurationMs) {
    const reason = ms === undefined ? 'is not a duration' : ms > 0 ? 'is longer than 365 days' : 'must be above zero';
    throw new FaultlineError('DURATION_INVALID', `${what} "${printable(text.slice(0, 80))}" ${reason}`, {
      hint: 'write a number with its unit, such as 500ms, 30s, 1m30s or 2h',
    });
  }
  return ms;
}

/** A duration as a person reads it: `250 µs`, `1.5 ms`, `340 ms`, `2.5 s`, `1m30s`, `2h5m`. */
export function formatDuration(ms: number): string {
  if (ms < 0) return `-${formatDuration(-ms)}`;
  if (ms < 1) return `${Math.round(ms * 1000)} µs`;
  if (ms < 10) return `${Math.round(ms * 10) / 10} ms`;
  if (ms < 1000) return `${Math.round(ms)} ms`;
  if (ms < 60_000) return `${Math.round(ms / 100) / 10} s`;
  const seconds = Math.round(ms / 1000);
  const parts: readonly (readonly [number, string])[] = [
    [Math.floor(seconds / 86_400), 'd'],
    [Math.floor((seconds % 86_400) / 3600), 'h'],
    [Math.floor((seconds % 3600) / 60), 'm'],
    [seconds % 60, 's'],
  ];
  return parts
    .filter(([amount]) => amount > 0)
    .slice(0, 2)
    .map(([amount, unit]) => `${amount}${unit}`)
    .join('');
}
