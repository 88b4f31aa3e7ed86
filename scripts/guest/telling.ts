import type { GuestEnd } from './lab.ts';

const seconds = (ms: number): string => `${(ms / 1000).toFixed(1)} s`;

/** One line of what it took. */
export function tellFigures({ readyMs, upMs, peakMib, tookMs, kernel }: Extract<GuestEnd, { kind: 'ended' }>): void {
  const guest = `command begun ${seconds(readyMs)} after power-on, ended at ${seconds(upMs)}`;
  console.error(`guest: ${kernel}; ${guest}; ${seconds(tookMs)} in all; at most ${peakMib} MiB in use`);
}

/** Why there is no result, and what the kernel said last. */
export function tellBroken({ why, console: said }: Extract<GuestEnd, { kind: 'broken' }>): void {
  console.error(`!!! guest: ${why}`);
  if (said !== '') console.error(`The end of its console:\n${said.replaceAll(/^/gmu, '  | ')}`);
}
