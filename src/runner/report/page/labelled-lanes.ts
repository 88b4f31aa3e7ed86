import { plain } from '../plain-text.ts';
import { type Labelled, labelWidth, laneLayout, type Placed, roomBeside, shortened } from './lanes.ts';
import { type Markup, markup } from './markup.ts';
import type { TimeAxis } from './time-axis.ts';

/** Labels keep their size whatever the width, so they are laid out twice, and the style sheet shows one of the two. */
export interface Layout {
  readonly name: 'wide' | 'narrow';
  /** Of the narrowest plot that it is for, in pixels. */
  readonly width: number;
  readonly mostLanes: number;
}

export const layouts: readonly Layout[] = [
  { name: 'wide', width: 600, mostLanes: 8 },
  { name: 'narrow', width: 272, mostLanes: 8 },
];

/** Words beside what goes on for a time, or at a moment. */
export interface Mark {
  readonly fromMs: number;
  readonly toMs: number;
  readonly text: string;
  readonly title: string;
}

const laneHeight = 25;

function place({ fromMs, toMs }: Mark, axis: TimeAxis, width: number): Omit<Labelled, 'label'> {
  const from = axis.share(fromMs) * width;
  return { from, to: Math.max(axis.share(toMs) * width, from + 4) };
}

function labelMarkup({ fromMs, toMs, text }: Mark, side: Placed['side'], axis: TimeAxis): Markup {
  if (side === 'left') return markup`<text class="end" x="${axis.at(fromMs)}" dx="-7" y="16">${text}</text>`;
  const at = axis.at(side === 'inside' ? fromMs : toMs);
  return markup`<text x="${at}" dx="${side === 'inside' ? 7 : 9}" y="16">${text}</text>`;
}

/** Marks with their labels, in as many lanes as it takes; those without room are only counted. */
export function lanes(marks: readonly Mark[], axis: TimeAxis, layout: Layout, drawn: (mark: Mark) => Markup): Markup {
  const { name, width, mostLanes } = layout;
  const fitting = marks.map((mark) => {
    const where = place(mark, axis, width);
    const text = shortened(plain(mark.text), roomBeside(where, width));
    return { mark: { ...mark, text }, where: { ...where, label: labelWidth(text) } };
  });
  const places = laneLayout(
    fitting.map(({ where }) => where),
    width,
    mostLanes,
  );
  const used = places.reduce((most, { lane }) => Math.max(most, (lane ?? 0) + 1), 0);
  const silent = places.filter(({ lane }) => lane === undefined).length;
  const rest = silent === 0 ? undefined : markup`<p class="${name} rest">and ${silent} more, below</p>`;
  return markup`<svg class="${name}" role="img" height="${used * laneHeight}"
    aria-label="${marks.map(({ title }) => title).join('; ')}">${fitting.map(({ mark }, index) => {
      const { lane, side = 'right' } = places[index] ?? {};
      if (lane === undefined) return undefined;
      return markup`<svg y="${lane * laneHeight}" height="${laneHeight}"><title>${mark.title}</title>${drawn(mark)}
${labelMarkup(mark, side, axis)}</svg>`;
    })}</svg>${rest}`;
}
