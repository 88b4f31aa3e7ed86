import type { PhaseName, ProbeDocument, RunDocument } from '../../result.ts';
import { duration, moment, valueText } from '../plain-text.ts';
import { type Extent, extents } from '../verdict.ts';
import { type Markup, markup } from './markup.ts';
import { phaseNames } from './tracks.ts';

/** Good or bad as a sign that needs no colour; whoever hears the page hears the word. */
export function sign(isGood: boolean, words = isGood ? 'held' : 'deviated'): Markup {
  const shape = isGood
    ? markup`<path d="m2.500 8.500 3.500 4 7.500-9"/>`
    : markup`<path d="m3.500 3.500 9 9m0-9-9 9"/>`;
  return markup`<svg class="sign ${isGood ? 'is-good' : 'is-bad'}" viewBox="0 0 16 16" role="img"
    aria-label="${words}">${shape}</svg>`;
}

/** What deviated: expected, actual, when; in the order in which it was seen. */
export function deviationsSection({ deviations }: RunDocument): Markup {
  if (deviations.length === 0) return markup``;
  const rows = deviations.map(
    ({ probe, measure, expected, actual, phase, atMs }, index) => markup`<tr${
      index === 0 ? markup` class="decided"` : undefined
    }><td class="number"><span class="badge">${index + 1}</span></td><th scope="row">${probe} <i>${measure}</i></th>
<td data-label="expected">${expected}</td><td data-label="actual"><b>${actual}</b></td>
<td data-label="when">${moment(atMs)} <small>${phaseNames[phase]}</small></td></tr>`,
  );
  const note = deviations.length > 1 ? markup`<p class="note">The first one decided.</p>` : undefined;
  return markup`<section class="deviations"><h2>What deviated</h2>${note}
<table class="stacks"><thead><tr><th></th><th>Measure</th><th>Expected</th><th>Actual</th><th>When</th></tr></thead>
<tbody>${rows}</tbody></table></section>`;
}

const judged: readonly PhaseName[] = ['before', 'method', 'rollback', 'after'];

function cell(probe: ProbeDocument, phase: PhaseName, measure: string): Markup {
  const found = probe.judgements.filter((one) => one.phase === phase && one.measure === measure);
  if (found.length === 0) return markup`<td class="none" data-label="${phaseNames[phase]}">–</td>`;
  return markup`<td data-label="${phaseNames[phase]}">${found.map(
    ({ held, actual, expected }) =>
      markup`<div class="judged">${sign(held)} <span><b>${actual}</b> <small>${expected}</small></span></div>`,
  )}</td>`;
}

function failures({ failures }: ProbeDocument): Markup {
  const entries = Object.entries(failures);
  if (entries.length === 0) return markup``;
  return markup`<tr class="failures"><td colspan="5"><ul>${entries.map(
    ([what, times]) => markup`<li><b>${times} ×</b> ${what}</li>`,
  )}</ul></td></tr>`;
}

/** Every expectation in every phase. */
export function expectationsSection({ probes }: RunDocument): Markup {
  const phases = judged.filter((phase) => probes.some((one) => one.judgements.some((it) => it.phase === phase)));
  const nothing = markup`<tr><td colspan="${phases.length + 1}">nothing was judged</td></tr>`;
  const bodies = probes.map((probe) => {
    const names = [...new Set(probe.judgements.map(({ measure }) => measure))];
    return markup`<tbody><tr class="probe"><th colspan="${phases.length + 1}" scope="rowgroup">${probe.name}
<small><b>${probe.kind}</b> ${probe.target}</small></th></tr>${names.map(
      (measure) =>
        markup`<tr><th scope="row">${measure}</th>${phases.map((phase) => cell(probe, phase, measure))}</tr>`,
    )}${names.length === 0 ? nothing : undefined}${failures(probe)}</tbody>`;
  });
  return markup`<section class="expectations"><h2>What was measured</h2>
<table class="stacks">
<thead><tr><th>Measure</th>${phases.map((phase) => markup`<th>${phaseNames[phase]}</th>`)}</tr></thead>
${bodies}</table></section>`;
}

function quantity(value: number | null, unit: Extent['unit']): string {
  if (value === null) return unit === '%' ? 'no limit' : '–';
  return unit === 'ms' ? duration(value) : valueText(value, unit);
}

function radiusBar(value: number, most: number, name: string): Markup {
  return markup`<svg class="gauge ${name}" aria-hidden="true"><rect width="${Math.round((value / most) * 1e4) / 100}%"
    height="100%" rx="2"/></svg>`;
}

const unlimited = markup`<span class="unlimited"></span>`;

function extentRow({ what, planned, actual, unit, beyond }: Extent): Markup {
  const most = Math.max(planned ?? 0, actual ?? 0, unit === '%' ? 100 : Number.MIN_VALUE);
  const told = actual === null ? 'not measured' : quantity(actual, unit);
  const limit = planned === null ? 'no limit' : `at most ${quantity(planned, unit)}`;
  const titles = { targets: 'Targets', percent: 'Share of a selection', duration: 'Duration' };
  const judgement =
    planned === null || actual === null ? undefined : sign(!beyond, beyond ? 'beyond the plan' : 'within the plan');
  return markup`<div class="extent${beyond ? ' beyond' : ''}"><h3>${titles[what]}</h3>
<p><b>${told}</b> ${limit} ${judgement}${beyond ? ' beyond the plan' : undefined}</p>
<dl><dt>planned</dt><dd>${planned === null ? unlimited : radiusBar(planned, most, 'planned')}</dd>
<dt>actual</dt><dd>${actual === null ? undefined : radiusBar(actual, most, 'actual')}</dd></dl></div>`;
}

/** What was touched: planned against actual. */
export function blastRadiusSection(run: RunDocument): Markup {
  return markup`<section class="radius"><h2>Blast radius</h2>
<div class="extents">${extents(run).map(extentRow)}</div></section>`;
}
