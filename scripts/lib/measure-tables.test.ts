import { readFileSync } from 'node:fs';
import path from 'node:path';
import { expect, test } from 'vitest';
import { abortKeys, blastRadiusKeys } from '../../src/runner/file/limits.ts';
import { probeKeys } from '../../src/runner/file/probes.ts';
import { steadyStateKeys, topKeys } from '../../src/runner/file/read.ts';
import { sourceKeys, sourceKinds } from '../../src/runner/file/sources.ts';
import { stepKinds } from '../../src/runner/file/steps.ts';
import { measures } from '../../src/runner/measures.ts';
import { kindsWithTables, withMeasureTables } from './measure-tables.ts';
import { root } from './tree.ts';

const page = readFileSync(path.join(root, 'docs/experiments.md'), 'utf8');

test('the tables of measures are up to date; else: npm run docs', () => {
  expect(page).toBe(withMeasureTables(page));
  expect(kindsWithTables(page)).toEqual(Object.keys(measures));
});

test('a table has a row for each measure, and what was there before is gone', () => {
  const fresh = withMeasureTables('<!-- measures: process -->\n| old |\n<!-- /measures -->\nend\n');
  expect(fresh).toContain('| `count` | number | each look | how many processes there are |');
  expect(fresh).not.toContain('| old |');
  expect(() => withMeasureTables('<!-- measures: nothing -->\n<!-- /measures -->')).toThrow('there is no kind');
});

/** What stands in code in the first column of the first table below a heading. */
function keysBelow(heading: string): readonly string[] {
  const [, below = ''] = page.split(`\n${heading}\n`);
  const [table = ''] = /^\|[^]*?(?=\n\n)/mu.exec(below) ?? [];
  const cells = table.split('\n').map((line) => line.split('|')[1] ?? '');
  return cells.slice(2).flatMap((cell) => [...cell.matchAll(/`(\w+)[^`]*`/gu)].map(([, key = '']) => key));
}

test.each<readonly [string, readonly string[]]>([
  ['## The top of the file', topKeys],
  ['## Steady state', steadyStateKeys],
  ['### Probes', [...sourceKinds, ...probeKeys]],
  ['## Method', stepKinds],
  ['## Blast radius', blastRadiusKeys],
  ['## Abort', abortKeys],
  ...sourceKinds.map((kind) => [`### ${kind}`, sourceKeys(kind)] as const),
])('what stands below %s are the keys that there are', (heading, keys) => {
  expect(keysBelow(heading).toSorted()).toEqual([...keys].toSorted());
});
