import { textOf } from '../../../base/json.ts';
import type { RunDocument, RunInjectionDocument } from '../../result.ts';
import { duration, moment, valueText } from '../plain-text.ts';
import { sign } from './judgement-sections.ts';
import { type Markup, markup } from './markup.ts';

/** Verdicts of a target that mean that the fault took effect. */
const confirmed = new Set(['confirmed', 'injected', 'recovered']);

function target({ label, verdict, seen, evidence }: RunInjectionDocument['targets'][number]): Markup {
  const entries = Object.entries(evidence);
  const facts =
    entries.length === 0
      ? undefined
      : markup`<dl class="evidence">${entries.map(
          ([name, value]) => markup`<div><dt>${name}</dt><dd>${textOf(value)}</dd></div>`,
        )}</dl>`;
  return markup`<li>${sign(confirmed.has(verdict), verdict)} <b>${label}</b> <span class="quiet">${verdict}:</span>
${seen}${facts}</li>`;
}

function when({ fromMs, toMs }: RunInjectionDocument): string {
  return toMs === null ? moment(fromMs) : `${moment(fromMs)} to ${moment(toMs)}, ${duration(toMs - fromMs)}`;
}

function fault(injection: RunInjectionDocument): Markup {
  const { uid, name, fault: kind, action, command, targets, percent, state } = injection;
  const share =
    percent === null
      ? undefined
      : markup`<div><dt>Share</dt><dd>${valueText(percent, '%')} of the selection</dd></div>`;
  return markup`<article class="card"><h3>${name} <span class="kind">${kind} ${action}</span></h3>
<dl class="line"><div><dt>When</dt><dd>${when(injection)}</dd></div><div><dt>State</dt><dd>${state}</dd></div>${share}
<div><dt>Injection</dt><dd><code>${uid}</code></dd></div></dl>
<ul class="targets">${targets.map(target)}</ul>
<p class="hand">By hand</p><pre><code>${command}</code></pre></article>`;
}

/** The faults with their targets, the evidence, and how a person would do it. */
export function faultsSection({ injections }: RunDocument): Markup {
  return markup`<section class="faults"><h2>Faults</h2>${
    injections.length === 0 ? markup`<p>Nothing was injected.</p>` : injections.map(fault)
  }</section>`;
}

/** Who died, and why. */
export function deathsSection({ deaths, injections }: RunDocument): Markup {
  if (deaths.length === 0) return markup``;
  const names = new Map(injections.map(({ uid, name }) => [uid, name]));
  const rows = deaths.map(({ atMs, pid, name, cause, injection, sentence }) => {
    const by = injection === null ? undefined : names.get(injection);
    return markup`<li><div class="moment">${moment(atMs)}</div><div><h3>${name} <span class="quiet">PID ${pid}</span>
<span class="cause">${cause}</span></h3><p>${sentence}</p>${
      by === undefined ? undefined : markup`<p class="quiet">fault: ${by}</p>`
    }</div></li>`;
  });
  return markup`<section class="deaths"><h2>Deaths</h2><ol class="moments">${rows}</ol></section>`;
}
