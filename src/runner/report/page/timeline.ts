import type { ProbeDocument, RunDocument, Series } from '../../result.ts';
import { duration } from '../plain-text.ts';
import { events, isMomentary, phaseShades } from './backdrop.ts';
import { type Markup, markup } from './markup.ts';
import { type Numbered, plot, type Scenery } from './plot.ts';
import { type TimeAxis, timeAxis } from './time-axis.ts';
import { limitText } from './tolerance-bands.ts';
import { boltPath, deathTrack, faultTrack, phaseTrack, timeTrack } from './tracks.ts';

const firstHeight = 124;
const otherHeight = 92;

/** Which deviations are ringed on which curve; on the first where the measure has no curve of its own. */
function ringedOn(run: RunDocument, probe: ProbeDocument, index: number): readonly Numbered[] {
  return run.deviations
    .map((deviation, at): Numbered => ({ number: at + 1, deviation }))
    .filter(({ deviation }) => deviation.probe === probe.name)
    .filter(({ deviation: { measure } }) => {
      const own = probe.series.findIndex((series) => series.measure === measure);
      return Math.max(0, own) === index;
    });
}

function label({ name, kind, target }: ProbeDocument, series: Series, isFirst: boolean): Markup {
  const limit = limitText(series);
  return markup`<div class="label">${
    isFirst ? markup`<h3><span class="kind">${kind}</span> ${name}</h3><p class="target">${target}</p>` : undefined
  }<p class="measure"><b>${series.measure}</b> ${limit}<output></output></p></div>`;
}

const nothing: Series = { measure: '', unit: '', atLeast: null, atMost: null, points: [] };

function probeRows(run: RunDocument, probe: ProbeDocument, number: number, scenery: Scenery): readonly Markup[] {
  const series = probe.series.length === 0 ? [nothing] : probe.series;
  return series.map((one, index) => {
    const options = {
      id: `c${number}-${index}`,
      height: index === 0 ? firstHeight : otherHeight,
      deviations: ringedOn(run, probe, index),
    };
    const first = index === 0 ? ' first' : '';
    return markup`<div class="track curve-of${first}">${label(probe, one, index === 0)}
${plot(probe, one, scenery, options)}</div>`;
  });
}

function legend(run: RunDocument, axis: TimeAxis): Markup {
  const limited = run.probes.some(({ series }) => series.some((one) => one.points.length > 0 && limitText(one)));
  const entries = [
    limited ? markup`<li><svg><rect class="good" width="100%" height="100%"/></svg>within tolerance</li>` : undefined,
    limited ? markup`<li><svg><path class="outside" d="M1 7H23"/></svg>outside</li>` : undefined,
    run.injections.some((injection) => !isMomentary(injection, axis))
      ? markup`<li><svg><rect class="fault" width="100%" height="100%"/></svg>fault</li>`
      : undefined,
    run.injections.some((injection) => isMomentary(injection, axis))
      ? markup`<li><svg><path class="bolt" d="${boltPath}" transform="translate(12 -4)"/></svg>fault of a moment</li>`
      : undefined,
    run.deaths.length > 0
      ? markup`<li><svg><path class="cross" d="M8 3 16 11M16 3 8 11"/></svg>death of a process</li>`
      : undefined,
    run.deviations.length > 0
      ? markup`<li class="ring"><svg><circle cx="12" cy="7" r="6"/></svg>deviation, by its number below</li>`
      : undefined,
  ];
  return markup`<ul class="legend">${entries}</ul>`;
}

/** All that happened on one axis of time: phases, faults, deaths, and the curve of every probe. */
export function timelineSection(run: RunDocument): Markup {
  const axis = timeAxis(run);
  const scenery: Scenery = { axis, phases: run.phases, shades: phaseShades(run, axis), events: events(run, axis) };
  return markup`<section class="timeline"><h2>What happened</h2>
<div class="tracks" tabindex="0" role="group" aria-label="Timeline: move with the arrow keys to read values"
  data-end="${axis.endMs}"><div class="cursor" hidden><span></span></div>
${phaseTrack(run, axis)}${faultTrack(run, axis)}${deathTrack(run, axis)}
${run.probes.map((probe, number) => probeRows(run, probe, number, scenery))}
${timeTrack(axis, duration)}</div>${legend(run, axis)}</section>`;
}
