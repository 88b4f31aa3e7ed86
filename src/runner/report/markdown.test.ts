import { describe, expect, test } from 'vitest';
import { markdownReport } from './markdown.ts';
import { hostileRun } from './test-support/hard-runs.ts';
import { deviatedRun } from './test-support/deviated-run.ts';
import { runs } from './test-support/runs.ts';

/** Cells of a row as GFM counts them: what is escaped is no border. */
const borders = (line: string): number => line.replaceAll(/\\\\/gu, '').replaceAll(/\\\|/gu, '').split('|').length;

describe.each(Object.entries(runs))('Markdown of a run: %s', (_name, run) => {
  const text = markdownReport(run());

  test('every row of a table has as many cells as its head', () => {
    const lines = text.slice(0, text.lastIndexOf('## How to reproduce')).split('\n');
    let head = 0;
    for (const line of lines) {
      if (!line.startsWith('|')) head = 0;
      else if (head === 0) head = borders(line);
      else expect(borders(line), line).toBe(head);
    }
  });

  test('every block of code ends', () => {
    expect((text.match(/^`{3,}/gmu) ?? []).length % 2).toBe(0);
  });
});

test('untrusted text is neither markup nor a heading', () => {
  const text = markdownReport(hostileRun());
  const prose = text.replaceAll(/^(`{3,})[\s\S]*?^\1$/gmu, '').replaceAll(/(`+)(?!`).*?\1(?!`)/gu, '');
  expect(prose).not.toMatch(/<(?:script|img)|^# heading/mu);
  expect(prose).not.toMatch(/(?<!\\)\[x\]\(/u);
});

test('says what deviated', () => {
  const text = markdownReport(deviatedRun());
  expect(text).toMatch(/^# ✘ Deviated: kill-under-post\n\n\*\*answers: success was 94\.1%/u);
  expect(text).toContain('| `answers` | success | at least 99.9% | **94.1%** | +5.1 s (method) |');
});
