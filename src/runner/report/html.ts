import { createHash } from 'node:crypto';
import type { RunDocument } from '../result.ts';
import { journalSection, reproduceSection, stepsSection } from './page/course-sections.ts';
import { deathsSection, faultsSection } from './page/fault-sections.ts';
import { blastRadiusSection, deviationsSection, expectationsSection } from './page/judgement-sections.ts';
import { documentText, markup, verbatim } from './page/markup.ts';
import { readOutScript } from './page/script.ts';
import { styleSheet } from './page/style.ts';
import { timelineSection } from './page/timeline.ts';
import { verdictSection } from './page/verdict-section.ts';
import { dateText } from './plain-text.ts';
import { outcomeOf, verdictWord } from './verdict.ts';

/** As Content Security Policy names a text that may stand inline. */
function hashOf(text: string): string {
  return `'sha256-${createHash('sha256').update(text).digest('base64')}'`;
}

/**
 * Nothing but this style sheet and this script, by their hashes: nothing is fetched, and whatever of untrusted text
 * might get into the page, it could not run.
 */
function policy(): string {
  return [
    "default-src 'none'",
    `style-src ${hashOf(styleSheet)}`,
    `script-src ${hashOf(readOutScript)}`,
    'img-src data:',
    "base-uri 'none'",
    "form-action 'none'",
  ].join('; ');
}

/** A run as one page of HTML that needs nothing but itself: no network, no fonts, no script to be read. */
export function htmlReport(run: RunDocument): string {
  const outcome = outcomeOf(run);
  const title = `${verdictWord(outcome)}: ${run.experiment.name}, ${dateText(run.startedAt)}`;
  const page = markup`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="${verbatim(policy())}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<meta name="referrer" content="no-referrer">
<meta name="generator" content="Faultline ${run.host.faultline}">
<title>${title}</title>
<link rel="icon" href="data:,">
<style>${verbatim(styleSheet)}</style>
</head>
<body class="${outcome}">
<main>
${verdictSection(run)}
${timelineSection(run)}
${deviationsSection(run)}
${expectationsSection(run)}
${blastRadiusSection(run)}
${faultsSection(run)}
${deathsSection(run)}
${stepsSection(run)}
${journalSection(run)}
${reproduceSection(run)}
</main>
<footer>Faultline ${run.host.faultline} · run ${run.uid}</footer>
<script>${verbatim(readOutScript)}</script>
</body>
</html>
`;
  return documentText(page);
}
