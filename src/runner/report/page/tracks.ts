import type { PhaseName, RunDeathDocument, RunDocument } from '../../result.ts';
import { moment } from '../plain-text.ts';
import { isMomentary, phaseShades, upright } from './backdrop.ts';
import { labelWidth } from './lanes.ts';
import { type Layout, layouts, lanes, type Mark } from './labelled-lanes.ts';
import { type Markup, markup } from './markup.ts';
import { percent, type TimeAxis, timeTicks } from './time-axis.ts';

/*
 * What stands above and below the curves: phases, faults, deaths, and the time.
 */

export const phaseNames: Readonly<Record<PhaseName, string>> = {
  before: 'steady before',
  method: 'method',
  rollback: 'rollback',
  after: 'steady after',
};

function track(name: string, title: string, content: readonly Markup[]): Markup {
  return markup`<div class="track ${name}"><h3 class="label">${title}</h3><div class="stage">${content}</div></div>`;
}

/** The longest of a phase's names for which there is room, for each layout. */
function phaseLabels({ phases }: RunDocument, axis: TimeAxis): readonly Markup[] {
  return phases
    .flatMap(({ name, fromMs, toMs }) => {
      const share = axis.share(toMs) - axis.share(fromMs);
      const middle = percent(axis.share(fromMs) + share / 2);
      return layouts.map((layout) => {
        const fitting = [phaseNames[name], name].find((text) => labelWidth(text) < share * layout.width - 6);
        return fitting === undefined
          ? undefined
          : markup`<text class="${layout.name}" x="${middle}" y="16">${fitting}</text>`;
      });
    })
    .filter((label) => label !== undefined);
}

export function phaseTrack(run: RunDocument, axis: TimeAxis): Markup {
  if (run.phases.length === 0) return markup``;
  const said = run.phases.map(({ name, fromMs, toMs }) => `${phaseNames[name]} ${moment(fromMs)} to ${moment(toMs)}`);
  const edges = run.phases.slice(1).map(({ fromMs }) => upright(axis, 'border', fromMs));
  return track('phases', 'Phases', [
    markup`<svg role="img" aria-label="${said.join(', ')}" height="24">`,
    markup`${phaseShades(run, axis)}${edges}${phaseLabels(run, axis)}</svg>`,
  ]);
}

function bar(axis: TimeAxis, { fromMs, toMs }: Mark): Markup {
  const width = percent(axis.share(toMs) - axis.share(fromMs));
  return markup`<rect class="bar" x="${axis.at(fromMs)}" y="1" width="${width}" height="21" rx="3"/>`;
}

/** Where a moment is, in a box whose origin is that moment. */
function pinned(axis: TimeAxis, atMs: number, shape: Markup): Markup {
  return markup`<svg class="pin" x="${axis.at(atMs)}">${shape}</svg>`;
}

/** Lightning, its middle at 0. */
export const boltPath = 'M1 3-4 13H0L-1 21 5 10H1Z';

export function faultTrack(run: RunDocument, axis: TimeAxis): Markup {
  if (run.injections.length === 0) return markup``;
  const marks = run.injections.map((injection): Mark => {
    const { name, fault, action, fromMs, toMs } = injection;
    const until = isMomentary(injection, axis) ? '' : ` to ${moment(toMs ?? fromMs)}`;
    const title = `${name}: ${fault} ${action} ${moment(fromMs)}${until}`;
    return { fromMs, toMs: until === '' ? fromMs : (toMs ?? fromMs), text: name, title };
  });
  const bolt = markup`<path class="bolt" d="${boltPath}"/>`;
  const drawn = (mark: Mark): Markup => (mark.toMs > mark.fromMs ? bar(axis, mark) : pinned(axis, mark.fromMs, bolt));
  return track(
    'faults',
    'Faults',
    layouts.map((layout) => lanes(marks, axis, layout, drawn)),
  );
}

/** What is told of deaths at about the same moment: of one kind by its name, of several by their number. */
function together(deaths: RunDocument['deaths']): string {
  const kinds = new Set(deaths.map(({ name, cause }) => `${name} ${cause}`));
  const [only = ''] = kinds;
  if (kinds.size > 1) return `${deaths.length} deaths`;
  return deaths.length === 1 ? only : `${only} × ${deaths.length}`;
}

/** Deaths whose marks would lie on each other are one mark. */
function deathMarks(run: RunDocument, axis: TimeAxis, { width }: Layout): readonly Mark[] {
  const groups: RunDeathDocument[][] = [];
  for (const death of [...run.deaths].sort((a, b) => a.atMs - b.atMs)) {
    const [first] = groups.at(-1) ?? [];
    const isNear = first !== undefined && (axis.share(death.atMs) - axis.share(first.atMs)) * width < 9;
    if (isNear) groups.at(-1)?.push(death);
    else groups.push([death]);
  }
  return groups.map((deaths) => {
    const atMs = deaths[0]?.atMs ?? 0;
    const told = deaths.slice(0, 10).map(({ name, pid, cause }) => `${name} (PID ${pid}), ${cause}`);
    return { fromMs: atMs, toMs: atMs, text: together(deaths), title: `${moment(atMs)}: ${told.join('; ')}` };
  });
}

export function deathTrack(run: RunDocument, axis: TimeAxis): Markup {
  if (run.deaths.length === 0) return markup``;
  const cross = markup`<path class="cross" d="M-4 7 4 15M4 7-4 15"/>`;
  const drawn = ({ fromMs }: Mark): Markup => pinned(axis, fromMs, cross);
  return track(
    'deaths',
    'Deaths',
    layouts.map((layout) => lanes(deathMarks(run, axis, layout), axis, layout, drawn)),
  );
}

export function timeTrack(axis: TimeAxis, label: (ms: number) => string): Markup {
  const ticks = layouts.map(({ name, width }) => {
    const shown = timeTicks(axis.endMs, Math.floor(width / 62));
    return markup`<g class="${name}">${shown.map((ms) => {
      const share = axis.share(ms);
      const anchor = share < 0.02 ? 'start' : share > 0.96 ? 'end' : 'middle';
      const at = percent(share);
      return markup`<line x1="${at}" x2="${at}" y2="5"/><text class="${anchor}" x="${at}" y="19">${label(ms)}</text>`;
    })}</g>`;
  });
  return track('time', 'Time since the start', [markup`<svg aria-hidden="true" height="26">${ticks}</svg>`]);
}
