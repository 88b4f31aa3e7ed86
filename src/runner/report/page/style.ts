import { contentStyle } from './style-content.ts';
import { printStyle } from './style-print.ts';
import { timelineStyle } from './style-timeline.ts';

const lightColors = `
  --paper: #fdfdfb; --raised: #f5f4f0; --ink: #1b1e24; --quiet: #575e69; --rule: #dddbd4;
  --data: #2457a6; --good: #11693c; --bad: #b42318; --fault: #7a4a00;
  --good-band: #e2f1e6; --good-line: #4d9068; --phase: #f1efe9; --fault-band: rgb(224 146 20 / .16);
  --fault-edge: #b97a10;
  --grid: rgb(27 30 36 / .1); --death: #1b1e24;`;

const darkColors = `
  --paper: #121418; --raised: #1b1e24; --ink: #e9ebee; --quiet: #a6aeb9; --rule: #31363f;
  --data: #8db7fa; --good: #63d297; --bad: #ff8f80; --fault: #f7c46c;
  --good-band: #172b20; --good-line: #4f9c72; --phase: #1c2026; --fault-band: rgb(240 170 50 / .2);
  --fault-edge: #c08a2e;
  --grid: rgb(233 235 238 / .13); --death: #e9ebee;`;

/** One accent a verdict: in light and in dark. */
const accents = {
  held: ['#11693c', '#63d297'],
  deviated: ['#b42318', '#ff8f80'],
  aborted: ['#8a4f00', '#f5b95a'],
  error: ['#86198f', '#eda3f5'],
  unfinished: ['#3d4857', '#b7c2d0'],
} as const;

function accentRules(theme: 0 | 1): string {
  return Object.entries(accents)
    .map(([outcome, colors]) => `.${outcome}{--accent:${colors[theme]}}`)
    .join('\n');
}

const base = `
*, ::before, ::after { box-sizing: border-box }
html { color-scheme: light dark; -webkit-text-size-adjust: 100%; text-size-adjust: 100% }
body { margin: 0; border-top: 6px solid var(--accent); background: var(--paper); color: var(--ink);
  font: 400 1rem/1.55 -apple-system, 'Segoe UI', Roboto, 'Noto Sans', 'Helvetica Neue', Arial, sans-serif;
  font-variant-numeric: tabular-nums; overflow-wrap: anywhere; text-rendering: optimizeLegibility }
main { max-width: 74rem; margin: 0 auto; padding: 0 clamp(1.15rem, 4vw, 3rem) }
h1, h2, h3, p, ul, ol, dl, dd, figure, blockquote, pre, table { margin: 0; padding: 0 }
ul, ol { list-style: none }
h1, h2, h3 { line-height: 1.25; text-wrap: balance }
h2 { font-size: 1.375rem; font-weight: 650; letter-spacing: -.011em; margin-bottom: 1.25rem }
h3 { font-size: 1rem; font-weight: 650 }
small { font-size: .8125rem; color: var(--quiet); font-weight: 400 }
i { font-style: normal; font-weight: 400; color: var(--quiet) }
code, pre { font-family: ui-monospace, SFMono-Regular, Menlo, Consolas, 'Liberation Mono', monospace;
  font-size: .8125rem }
th, td, code, b, dd, li, p, h3 { unicode-bidi: isolate }
svg { display: block; overflow: visible }
section { padding-top: 1.1rem; margin-top: 3.4rem; border-top: 1px solid var(--rule) }
.quiet { color: var(--quiet); font-weight: 400 }
.kind { font-size: .75rem; font-weight: 500; color: var(--quiet); border: 1px solid var(--rule); border-radius: 3px;
  padding: .06rem .35rem }
footer { max-width: 74rem; margin: 4rem auto 0; padding: 1.25rem clamp(1.15rem, 4vw, 3rem) 2.5rem; font-size: .8125rem;
  color: var(--quiet) }
`;

const header = `
header { padding: clamp(2rem, 6vw, 4.25rem) 0 0 }
.eyebrow { font-size: .875rem; color: var(--quiet); margin-bottom: 1.1rem }
.eyebrow span { letter-spacing: .02em }
.eyebrow span::after { content: '/'; margin: 0 .45rem; opacity: .6 }
.eyebrow b { font-weight: 600; color: var(--ink) }
h1 { display: flex; align-items: center; gap: clamp(.7rem, 1.6vw, 1.1rem); color: var(--accent);
  font-size: clamp(2.6rem, 8vw, 4.5rem); font-weight: 720; letter-spacing: -.032em; line-height: 1.02 }
.icon { width: .86em; height: .86em; flex: none; fill: none; stroke: currentColor; stroke-width: 4.2;
  stroke-linecap: round;
  stroke-linejoin: round }
.reason { max-width: 46rem; margin-top: 1.25rem; font-size: clamp(1.2rem, 2.6vw, 1.5rem); line-height: 1.4;
  font-weight: 500; letter-spacing: -.008em; text-wrap: pretty }
.meaning { margin-top: .5rem; color: var(--quiet) }
.hypothesis { max-width: 46rem; margin-top: 2.2rem; padding-left: 1.25rem; border-left: 3px solid var(--accent) }
.hypothesis figcaption { font-size: .8125rem; color: var(--quiet); margin-bottom: .25rem }
blockquote { font: italic 400 1.25rem/1.5 'Iowan Old Style', 'Palatino Linotype', Palatino, P052, Georgia, serif;
  text-wrap: pretty }
blockquote::before { content: open-quote } blockquote::after { content: close-quote }
.hypothesis p { margin-top: .5rem; color: var(--quiet); font-size: .9375rem }
.facts { display: flex; flex-wrap: wrap; margin-top: 2rem; color: var(--quiet); font-size: .9375rem; row-gap: .1rem }
.facts li:not(:last-child)::after { content: '·'; margin: 0 .6rem }
`;

/** The page's style sheet. Dark follows the reader's system; print is always light. */
export const styleSheet = `:root {${lightColors} }
${accentRules(0)}
@media screen and (prefers-color-scheme: dark) { :root {${darkColors} }
${accentRules(1)} }
${base}${header}${timelineStyle}${contentStyle}${printStyle}`;
