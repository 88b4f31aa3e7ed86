import type { RunDocument, StepDocument } from '../../result.ts';
import { dateText, duration, moment } from '../plain-text.ts';
import { againCommand } from '../verdict.ts';
import { sign } from './judgement-sections.ts';
import { type Markup, markup, preformatted } from './markup.ts';

/** So many entries of a journal are read at a glance; of a longer one the page shows the beginning only when asked. */
const shortJournal = 40;

function depth({ path }: StepDocument): number {
  return Math.min(4, path.split('[').length - 2);
}

/** The sign and its word stay together. */
function done(isGood: boolean, word: string): Markup {
  return markup`<span>${sign(isGood, word)} ${word}</span>`;
}

function outcome({ outcome: word }: StepDocument): Markup {
  if (word === 'skipped') return markup`<span class="quiet">${word}</span>`;
  return done(word === 'done', word);
}

function took(fromMs: number, toMs: number | null): string {
  return toMs === null ? '–' : duration(toMs - fromMs);
}

/** The steps of the method and the rollbacks as they went. */
export function stepsSection({ steps, rollbacks }: RunDocument): Markup {
  if (steps.length + rollbacks.length === 0) return markup``;
  const rows = [
    ...steps.map(
      (step) => markup`<tr><th scope="row" class="depth-${depth(step)}">${step.text}${
        step.detail === null ? undefined : markup`<small>${step.detail}</small>`
      }</th><td data-label="began">${moment(step.fromMs)}</td><td data-label="took">${took(step.fromMs, step.toMs)}</td>
<td data-label="outcome">${outcome(step)}</td></tr>`,
    ),
    ...rollbacks.map(
      ({
        text,
        fromMs,
        toMs,
        succeeded,
        detail,
      }) => markup`<tr><th scope="row"><span class="kind">rollback</span> ${text}${
        detail === null ? undefined : markup`<small>${detail}</small>`
      }</th><td data-label="began">${moment(fromMs)}</td><td data-label="took">${took(fromMs, toMs)}</td>
<td data-label="outcome">${done(succeeded, succeeded ? 'done' : 'failed')}</td></tr>`,
    ),
  ];
  return markup`<section class="steps"><h2>Steps</h2><table class="stacks">
<thead><tr><th>Step</th><th>Began</th><th>Took</th>
<th>Outcome</th></tr></thead><tbody>${rows}</tbody></table></section>`;
}

/** The journal: all that the runner noted. */
export function journalSection({ journal }: RunDocument): Markup {
  if (journal.length === 0) return markup``;
  const entries = markup`<ol class="journal">${journal.map(
    ({ atMs, text, level }) => markup`<li class="${level}"><span class="moment">${moment(atMs)}</span>
<span>${level === 'info' ? undefined : sign(level === 'good', level)} ${text}</span></li>`,
  )}</ol>`;
  const content =
    journal.length <= shortJournal
      ? entries
      : markup`<details><summary>${journal.length} entries</summary>${entries}</details>`;
  return markup`<section><h2>Journal</h2>${content}</section>`;
}

/** What whoever doubts the result needs to see it for himself. */
export function reproduceSection(run: RunDocument): Markup {
  const { experiment, host } = run;
  const facts: readonly (readonly [string, string])[] = [
    ['Faultline', host.faultline],
    ['Host', `${host.name}, Linux ${host.kernel}, ${host.cpus} CPUs`],
    ['Run by', host.user],
    ['Started', dateText(run.startedAt)],
    ['Run', run.uid],
    ['SHA-256', experiment.sha256],
  ];
  return markup`<section class="reproduce"><h2>How to reproduce</h2>
<pre class="command"><code>$ ${againCommand(run)}</code></pre>
<dl class="line">${facts.map(([name, value]) => markup`<div><dt>${name}</dt><dd>${value}</dd></div>`)}</dl>
<h3>${experiment.file === '-' ? 'The file, as it came from the standard input' : experiment.file}</h3>
<pre class="file"><code>${preformatted(experiment.text.trimEnd())}</code></pre></section>`;
}
