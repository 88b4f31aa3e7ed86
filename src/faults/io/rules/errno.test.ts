import { expect, it } from 'vitest';
import { operation } from '../test-support/operations.ts';
import { emptyDraft } from './disturbance.ts';
import { chanceOf } from './draw.ts';
import { errno } from './errno.ts';

it('fails with each errno as often as its weight says', () => {
  const choices = [
    { errno: 5, weight: 1 },
    { errno: 28, weight: 3 },
  ];
  const disturbance = errno({ kind: 'errno', choices }, chanceOf('errno', 0));
  const seen = { 5: 0, 28: 0 };
  for (let number = 1; number <= 10_000; number += 1) {
    const draft = emptyDraft();
    disturbance.disturb(draft, operation(), number);
    seen[draft.errno as 5 | 28] += 1;
  }
  // Always the same draws: 2,500 ± 4 standard deviations.
  expect(Math.abs(seen[5] - 2500)).toBeLessThan(175);
  expect(seen[5] + seen[28]).toBe(10_000);
});
