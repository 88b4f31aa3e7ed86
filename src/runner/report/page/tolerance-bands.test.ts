import { expect, test } from 'vitest';
import type { RunDocument, Series } from '../../result.ts';
import { heldRun } from '../test-support/held-run.ts';
import { timeAxis } from './time-axis.ts';
import { limitText, toleranceBands } from './tolerance-bands.ts';

const count: Series = { measure: 'count', unit: '', atLeast: 2, atMost: 2, points: [] };
const fewer: Series = { ...count, during: { atLeast: 1, atMost: 2 } };
const phases: RunDocument['phases'] = [
  { name: 'before', fromMs: 0, toMs: 250 },
  { name: 'method', fromMs: 250, toMs: 500 },
  { name: 'after', fromMs: 500, toMs: 1000 },
];
const axis = timeAxis({ ...heldRun(), durationMs: 1000, phases, probes: [] });

test('what is good all the time is one band', () => {
  expect(toleranceBands(count, phases, axis)).toEqual([{ atLeast: 2, atMost: 2, from: 0, to: 1 }]);
  expect(limitText(count)).toBe('exactly 2');
});

test('what is good while the method goes on counts then only', () => {
  expect(toleranceBands(fewer, phases, axis)).toEqual([
    { atLeast: 2, atMost: 2, from: 0, to: 0.25 },
    { atLeast: 1, atMost: 2, from: 0.25, to: 0.5 },
    { atLeast: 2, atMost: 2, from: 0.5, to: 1 },
  ]);
  expect(limitText(fewer)).toBe('exactly 2; meanwhile 1 to 2');
});

test('a run that ended before its method has one band', () => {
  expect(toleranceBands(fewer, phases.slice(0, 1), axis)).toEqual([{ atLeast: 2, atMost: 2, from: 0, to: 1 }]);
});

test('nothing is expected but meanwhile', () => {
  const only: Series = { ...count, unit: 'ms', atLeast: null, atMost: null, during: { atLeast: null, atMost: 250 } };
  expect(limitText(only)).toBe('meanwhile at most 250 ms');
  expect(limitText({ ...only, during: { atLeast: null, atMost: null }, atMost: 5 })).toBe(
    'at most 5 ms; meanwhile anything',
  );
});
