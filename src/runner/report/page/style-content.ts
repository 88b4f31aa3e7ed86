/** Tables, cards and lists below the timeline. */
export const contentStyle = `
.sign { display: inline-block; width: .95em; height: .95em; vertical-align: -.1em; fill: none; stroke-width: 2.6;
  stroke-linecap: round; stroke-linejoin: round; flex: none }
.is-good { stroke: var(--good) } .is-bad { stroke: var(--bad) }
table { width: 100%; border-collapse: collapse; font-size: .9375rem }
th, td { text-align: left; vertical-align: top; padding: .55rem 1.25rem .55rem 0; border-bottom: 1px solid var(--rule);
  font-weight: 400 }
thead th { font-size: .8125rem; color: var(--quiet); padding-top: 0 }
tbody th { font-weight: 600 }
td small, th small { display: block; line-height: 1.4 }
.note { color: var(--quiet); margin: -.8rem 0 1.1rem }
.deviations .number { width: 2.4rem; padding-right: .5rem }
.badge { display: inline-grid; place-items: center; min-width: 1.55rem; height: 1.55rem; padding: 0 .35rem;
  border: 2px solid var(--bad); border-radius: 1rem; color: var(--bad); font-size: .75rem; font-weight: 700;
  line-height: 1 }
.decided .badge { background: var(--bad); color: var(--paper) }
.deviations td b { color: var(--bad) }
.expectations .probe th { padding-top: 1.3rem; border-bottom-color: var(--quiet) }
.expectations .probe small b { font-weight: 500; border: 1px solid var(--rule); border-radius: 3px; padding: 0 .3rem }
.expectations tbody tr:not(.probe) th { font-weight: 400; color: var(--quiet) }
.judged { display: flex; gap: .55rem } .judged .sign { margin-top: .28rem }
.judged + .judged { margin-top: .35rem }
.judged b { font-weight: 600; display: block; line-height: 1.45 }
.none { color: var(--quiet) }
.failures ul { display: flex; flex-wrap: wrap; gap: .2rem 1.4rem; font-size: .875rem; color: var(--quiet) }
.failures b { color: var(--bad); font-weight: 600 }
.extents { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(100%, 17rem), 1fr)); gap: 2rem 3rem }
.extent h3 { font-size: .8125rem; font-weight: 500; color: var(--quiet) }
.extent p { color: var(--quiet); margin: .1rem 0 .7rem }
.extent p b { font-size: 1.75rem; font-weight: 650; letter-spacing: -.02em; color: var(--ink); margin-right: .4rem }
.extent dl { display: grid; grid-template-columns: 4rem 1fr; gap: .3rem .5rem; align-items: center; font-size: .75rem;
  color: var(--quiet) }
.gauge { width: 100%; height: .7rem }
.gauge.planned rect { fill: none; stroke: var(--quiet) } .gauge.actual rect { fill: var(--data) }
.beyond .gauge.actual rect { fill: var(--bad) }
.beyond p, .beyond p b { color: var(--bad) }
.unlimited { display: block; border-top: 1px dashed var(--quiet) }
.card { padding: 1.25rem 0 1.5rem } .card + .card { border-top: 1px solid var(--rule) }
.card:first-of-type { padding-top: 0 }
.card h3 { font-size: 1.0625rem } .card h3 .kind { margin-left: .4rem }
.line { display: flex; flex-wrap: wrap; gap: .5rem 2.25rem; margin: .7rem 0 }
.line dt { font-size: .75rem; color: var(--quiet) } .line dd { font-size: .9375rem }
.targets { margin: .9rem 0; display: grid; gap: .5rem; font-size: .9375rem }
.evidence { display: flex; flex-wrap: wrap; gap: .1rem 1.1rem; margin: .15rem 0 0 1.35rem; font-size: .8125rem;
  color: var(--quiet) }
.evidence div { display: flex; gap: .4rem } .evidence dd { color: var(--ink) }
.hand { font-size: .75rem; color: var(--quiet); margin-bottom: .25rem }
pre { background: var(--raised); border: 1px solid var(--rule); border-radius: 5px; padding: .75rem 1rem;
  line-height: 1.6;
  white-space: pre-wrap; tab-size: 2 }
.moments li { display: grid; grid-template-columns: 5.5rem 1fr; padding: .7rem 0; border-bottom: 1px solid var(--rule) }
.moments li:first-child { padding-top: 0 }
.moment { color: var(--quiet); white-space: nowrap }
.moments p { font-size: .9375rem } .cause { margin-left: .3rem }
.cause::before { content: '✕'; margin-right: .35rem; font-weight: 700 }
.steps .depth-1 { padding-left: 1.25rem } .steps .depth-2 { padding-left: 2.5rem }
  .steps .depth-3 { padding-left: 3.75rem }
.steps .depth-4 { padding-left: 5rem } .steps tbody th { font-weight: 500 } .steps td { white-space: nowrap }
.journal { font-size: .875rem; line-height: 1.5 }
.journal li { display: grid; grid-template-columns: 5.5rem 1fr; padding: .18rem 0 }
.journal .bad { font-weight: 600 }
summary { cursor: pointer; color: var(--quiet); margin-bottom: .75rem }
.reproduce h3 { margin: 1.5rem 0 .5rem } .reproduce .line { margin: 1.1rem 0 }
.command { font-weight: 600 }
@media screen and (max-width: 759px) {
  .stacks, .stacks tbody, .stacks tr, .stacks th, .stacks td { display: block }
  .stacks thead { display: none }
  .stacks tr { padding: .6rem 0; border-bottom: 1px solid var(--rule) }
  .stacks th, .stacks td { border: 0; padding: .1rem 0; white-space: normal }
  .stacks td[data-label] { display: grid; grid-template-columns: 6.75rem 1fr; gap: .1rem .5rem }
  .stacks td[data-label]::before { content: attr(data-label); grid-row: 1 / span 3; font-size: .8125rem;
  line-height: 1.85;
    color: var(--quiet) }
  .stacks td[data-label] > * { grid-column: 2 }
  .stacks td.none { display: none }
  .deviations tr { position: relative; padding-left: 2.4rem }
  .deviations .number { position: absolute; left: 0; top: .7rem }
  .expectations tr.probe { padding-top: 1.1rem } .expectations .probe th { padding-top: 0 }
  .steps .depth-2 { padding-left: 1.25rem } .steps .depth-3, .steps .depth-4 { padding-left: 1.25rem }
  .moments li, .journal li { grid-template-columns: 4.75rem 1fr }
}
`;
