/** The timeline: one column for what a track is, one for values, and one that all tracks share as the axis of time. */
export const timelineStyle = `
.tracks { position: relative; --words: 13.5rem; --values: 4.25rem; outline-offset: 6px; border-radius: 2px }
.tracks:focus:not(:focus-visible) { outline: none }
.track { display: grid; grid-template-columns: var(--words) var(--values) minmax(0, 1fr) }
.track .label { grid-column: 1; padding-right: 1rem; min-width: 0 }
.track .stage { grid-column: 3; min-width: 0 }
.track > .values { grid-column: 2 } .track > .plot { grid-column: 3 }
.stage svg, .plot, .values { width: 100% }
.phases .label, .faults .label, .deaths .label, .time .label { font-size: .8125rem; font-weight: 500;
  color: var(--quiet);
  line-height: 25px }
.tracks text { font-size: 12px; fill: var(--ink); font-family: inherit }
.tracks text.end, .values text { text-anchor: end }
.phases text, .tracks text.middle, .nothing { text-anchor: middle }
.phases text, .time text, .values text, .tracks .nothing { fill: var(--quiet) }
.phases, .faults, .deaths { margin-bottom: 5px }
.phase { fill: var(--phase) }
.border { stroke: var(--rule) }
.phases .border { stroke: var(--quiet); opacity: .6 }
.faults .bar { fill: var(--fault-band); stroke: var(--fault-edge) }
.faults text { fill: var(--ink); font-weight: 600 }
.pin { overflow: visible; width: 1px; height: 1px }
.bolt { fill: var(--fault-edge); stroke: var(--fault-edge); stroke-linejoin: round }
.cross { fill: none; stroke: var(--death); stroke-width: 2.2; stroke-linecap: round }
.rest { font-size: .75rem; color: var(--quiet) }
.plot { background: none }
.curve-of .plot, .curve-of .values { border-top: 1px solid var(--rule) }
.curve-of .label { border-top: 1px solid transparent; padding-top: .55rem; display: flex; flex-direction: column }
.curve-of.first .label, .curve-of.first .values { border-top-color: var(--rule) }
.curve-of:not(.first) .plot, .curve-of:not(.first) .values { border-top-color: transparent }
.curve-of h3 { font-size: .9375rem; line-height: 1.35; display: -webkit-box; -webkit-box-orient: vertical;
  -webkit-line-clamp: 2; overflow: hidden }
.curve-of h3 .kind { float: right; margin-left: .4rem }
.target { font-size: .75rem; line-height: 1.35; color: var(--quiet); margin-top: .15rem; display: -webkit-box;
  -webkit-box-orient: vertical; -webkit-line-clamp: 2; overflow: hidden }
.measure { font-size: .75rem; line-height: 1.4; color: var(--quiet); margin: .3rem 0 .5rem }
.measure b { color: var(--ink); font-weight: 600; font-size: .8125rem }
.measure output { display: block; min-height: 1.4em; font-size: .8125rem; font-weight: 650; color: var(--data) }
.good { fill: var(--good-band) }
.limit { stroke: var(--good-line); stroke-dasharray: 5 4 }
.grid { stroke: var(--grid) }
.fault { fill: var(--fault-band) }
.edge { stroke: var(--fault-edge); opacity: .7 }
.strike { stroke: var(--fault-edge); stroke-width: 1.6 }
.death { stroke: var(--death); opacity: .65; stroke-dasharray: 1 4; stroke-width: 1.6; stroke-linecap: round }
.curve { overflow: hidden }
/* Inherited, for the copy that shows what is outside is the same path in another colour. */
.curve { fill: none; stroke: var(--data); stroke-width: 1.75px; stroke-linejoin: round; stroke-linecap: round }
.curve .outside { stroke: var(--bad); stroke-width: 2.25px }
.ring circle { fill: none; stroke: var(--bad); stroke-width: 2.2 }
.tracks .ring text { fill: var(--bad); font-weight: 700; stroke: var(--paper); stroke-width: 3px; paint-order: stroke }
.time line { stroke: var(--quiet) }
.time svg { border-top: 1px solid var(--quiet) }
.narrow { display: none }
.cursor { position: absolute; top: 0; bottom: 26px; width: 0; border-left: 1px solid var(--ink); pointer-events: none;
  z-index: 1 }
.cursor span { position: absolute; bottom: -25px; left: 0; transform: translateX(-50%); padding: .1rem .4rem;
  border-radius: 3px; background: var(--ink); color: var(--paper); font-size: .75rem; font-weight: 600;
  white-space: nowrap }
.cursor.late span { transform: translateX(-100%) }
.legend { display: flex; flex-wrap: wrap; gap: .3rem 1.4rem; margin-top: 1rem; font-size: .8125rem;
  color: var(--quiet) }
.legend li { display: flex; align-items: center; gap: .5rem }
.legend svg { width: 24px; height: 14px }
.legend .outside { stroke: var(--bad); stroke-width: 2; stroke-linecap: round }
.legend .good { stroke: var(--good-line); stroke-dasharray: 3 3 }
.legend .fault { stroke: var(--fault-edge) }
@media screen and (max-width: 759px) {
  .wide { display: none } .narrow { display: block }
  .tracks { --values: 3.6rem }
  .track { grid-template-columns: var(--values) minmax(0, 1fr) }
  .track .label { grid-column: 1 / -1; padding-right: 0; line-height: 1.7 }
  .track .stage, .track > .plot { grid-column: 2 } .track > .values { grid-column: 1 }
  .phases .label { display: none }
  .time .label { grid-row: 2; text-align: right }
  .curve-of .label { padding-top: .6rem }
  .curve-of.first { margin-top: .9rem }
  .curve-of .plot, .curve-of .values { border-top: 0 }
  .measure { display: flex; flex-wrap: wrap; gap: .4rem; align-items: baseline; margin: .3rem 0 .2rem }
  .measure output { margin-left: auto }
}
`;
