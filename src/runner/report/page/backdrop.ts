import type { RunDocument } from '../../result.ts';
import { type Markup, markup } from './markup.ts';
import type { TimeAxis } from './time-axis.ts';

/** What a fault is drawn as: of a fault without an end, as a kill, a line. */
export function isMomentary({ fromMs, toMs }: RunDocument['injections'][number], { endMs }: TimeAxis): boolean {
  return toMs === null || toMs - fromMs < endMs / 1000;
}

/** Lines that would be drawn over each other are one. */
function apart(moments: readonly number[], axis: TimeAxis, share = 0.001): readonly number[] {
  const kept: number[] = [];
  for (const atMs of [...moments].sort((a, b) => a - b)) {
    const last = kept.at(-1);
    if (last === undefined || axis.share(atMs) - axis.share(last) > share) kept.push(atMs);
  }
  return kept;
}

function width(axis: TimeAxis, fromMs: number, toMs: number): string {
  return `${Math.max(0, Math.round((axis.share(toMs) - axis.share(fromMs)) * 1e4) / 100)}%`;
}

function span(axis: TimeAxis, name: string, fromMs: number, toMs: number): Markup {
  return markup`<rect class="${name}" x="${axis.at(fromMs)}" width="${width(axis, fromMs, toMs)}" height="100%"/>`;
}

/** A line from top to bottom. */
export function upright(axis: TimeAxis, name: string, atMs: number): Markup {
  const at = axis.at(atMs);
  return markup`<line class="${name}" x1="${at}" x2="${at}" y2="100%"/>`;
}

/** Behind every curve: the phases. */
export function phaseShades({ phases }: RunDocument, axis: TimeAxis): readonly Markup[] {
  return phases.map(({ name, fromMs, toMs }) =>
    name === 'method' || name === 'rollback' ? span(axis, `phase ${name}`, fromMs, toMs) : markup``,
  );
}

/** Across every curve: what was injected and who died. */
export function events({ injections, deaths }: RunDocument, axis: TimeAxis): readonly Markup[] {
  const momentary = injections.filter((injection) => isMomentary(injection, axis));
  const sustained = injections.filter((injection) => !isMomentary(injection, axis));
  // Where a fault strikes there is a line already, and the mark of the death above it.
  const struck = momentary.map(({ fromMs }) => axis.share(fromMs));
  const alone = deaths.filter(({ atMs }) => struck.every((share) => Math.abs(axis.share(atMs) - share) > 0.003));
  return [
    ...sustained.map(({ fromMs, toMs }) => span(axis, 'fault', fromMs, toMs ?? fromMs)),
    ...sustained.flatMap(({ fromMs, toMs }) => [fromMs, toMs ?? fromMs].map((at) => upright(axis, 'edge', at))),
    ...apart(
      momentary.map(({ fromMs }) => fromMs),
      axis,
    ).map((at) => upright(axis, 'strike', at)),
    ...apart(
      alone.map(({ atMs }) => atMs),
      axis,
      0.008,
    ).map((at) => upright(axis, 'death', at)),
  ];
}
