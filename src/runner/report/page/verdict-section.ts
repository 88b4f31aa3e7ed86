import { count } from '../../../base/text.ts';
import type { RunDocument } from '../../result.ts';
import { dateText, duration, sentence } from '../plain-text.ts';
import { type Outcome, outcomeOf, verdictMeaning, verdictWord } from '../verdict.ts';
import { type Markup, markup } from './markup.ts';

/** A shape of its own for each verdict, since colour alone tells nothing to many. */
const shapes: Readonly<Record<Outcome, Markup>> = {
  held: markup`<circle cx="24" cy="24" r="20"/><path d="m14.500 24.500 6.500 7 13-14.500"/>`,
  deviated: markup`<path d="M24 3.500 44.500 24 24 44.500 3.500 24Z"/><path d="m17.500 17.500 13 13m0-13-13 13"/>`,
  aborted: markup`<path d="M15.700 4h16.600L44 15.700v16.600L32.300 44H15.700L4 32.300V15.700Z"/><path d="M15 24h18"/>`,
  error: markup`<path d="M24 4.500 45 42H3Z"/><path d="M24 18.500v11m0 5.500v.5"/>`,
  unfinished: markup`<circle cx="24" cy="24" r="20"/><path d="M14.500 24h.1m9.400 0h.1m9.400 0h.1"/>`,
};

function icon(outcome: Outcome): Markup {
  return markup`<svg class="icon" viewBox="0 0 48 48" aria-hidden="true">${shapes[outcome]}</svg>`;
}

/** What the reason says is told once: as the first thing. */
function reasonOf(run: RunDocument, outcome: Outcome): string {
  return run.reason.trim() === '' ? verdictMeaning(outcome) : sentence(run.reason);
}

function facts(run: RunDocument): readonly (Markup | string)[] {
  const targets = run.blastRadius.actual.targets;
  return [
    markup`<time datetime="${run.startedAt}">${dateText(run.startedAt)}</time>`,
    `took ${duration(run.durationMs)}`,
    count(run.injections.length, 'fault'),
    `${count(targets, 'target')} hit`,
    count(run.deaths.length, 'death'),
    count(run.deviations.length, 'deviation'),
    `on ${run.host.name}`,
  ];
}

/** The verdict, big and in a sentence; what was believed; and the facts in a line. */
export function verdictSection(run: RunDocument): Markup {
  const outcome = outcomeOf(run);
  const { name, description, hypothesis } = run.experiment;
  const meaning = run.reason.trim() === '' ? undefined : markup`<p class="meaning">${verdictMeaning(outcome)}</p>`;
  return markup`<header>
<p class="eyebrow"><span>Faultline</span> <b>${name}</b></p>
<h1>${icon(outcome)}${verdictWord(outcome)}</h1>
<p class="reason">${reasonOf(run, outcome)}</p>
${meaning}
<figure class="hypothesis"><figcaption>Hypothesis</figcaption><blockquote>${hypothesis}</blockquote>${
    description === null ? undefined : markup`<p>${description}</p>`
  }</figure>
<ul class="facts">${facts(run).map((fact) => markup`<li>${fact}</li>`)}</ul>
</header>`;
}
