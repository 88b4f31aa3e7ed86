import { type Measure, measures } from '../../src/runner/measures.ts';

/** A place for a table: `<!-- measures: http -->` up to `<!-- /measures -->`. */
const places = /^<!-- measures: ([a-z]+) -->\n[^]*?^<!-- \/measures -->$/gmu;

const units: Readonly<Record<Measure['unit'], string>> = {
  ms: 'time',
  '%': 'share',
  bytes: 'size',
  '/s': 'rate',
  '': 'number',
};

const types: Readonly<Record<Exclude<Measure['type'], 'number'>, string>> = { text: 'text', truth: 'true or false' };

function row(name: string, { unit, type, over, summary }: Measure): string {
  const value = type === 'number' ? units[unit] : types[type];
  return `| \`${name}\` | ${value} | ${over === 'sum' ? 'a span' : 'each look'} | ${summary} |`;
}

function table(kind: string): string {
  const found = Object.entries(measures).find(([one]) => one === kind)?.[1];
  if (found === undefined) throw new Error(`there is no kind of probe "${kind}"`);
  const rows = Object.entries(found).map(([name, measure]) => row(name, measure));
  return ['| Measure | Value | Taken of | Meaning |', '| --- | --- | --- | --- |', ...rows].join('\n');
}

/** The page with its tables of measures made anew. */
export function withMeasureTables(page: string): string {
  return page.replaceAll(
    places,
    (_place, kind: string) => `<!-- measures: ${kind} -->\n${table(kind)}\n<!-- /measures -->`,
  );
}

/** The kinds of probes of whose measures a page has a table. */
export function kindsWithTables(page: string): readonly string[] {
  return [...page.matchAll(places)].map(([, kind = '']) => kind);
}
