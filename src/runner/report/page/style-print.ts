/** On paper: light, in black ink where colour says nothing, and nothing cut by the end of a page. */
export const printStyle = `
@page { size: A4; margin: 15mm 14mm }
@media print {
  :root { font-size: 13.5px }
  body { border-top: 0; background: #fff; -webkit-print-color-adjust: exact; print-color-adjust: exact }
  :root { --paper: #fff }
  main, footer { max-width: none; padding-left: 0; padding-right: 0 }
  header { padding-top: 0 }
  section { margin-top: 2.2rem }
  h2, h3, .eyebrow { break-after: avoid }
  .track, tr, .card, .extent, .moments li, .journal li, .hypothesis, .command { break-inside: avoid }
  .phases, .faults, .deaths { break-after: avoid }
  .time, .legend { break-before: avoid }
  thead { display: table-header-group }
  .tracks { --words: 10.5rem; --values: 3.6rem }
  .extents { grid-template-columns: repeat(3, 1fr); gap: 1.5rem }
  .cursor, .measure output { display: none }
  details::details-content { display: block; content-visibility: visible; height: auto }
  summary { list-style: none }
  footer { margin-top: 2rem; padding-bottom: 0 }
}
`;
