import { describe, expect, test } from 'vitest';
import { parseRun } from './parse-run.ts';
import { heldRun } from './test-support/held-run.ts';
import { runs } from './test-support/runs.ts';

test.each(Object.entries(runs))('the document of a run survives JSON: %s', async (_name, run) => {
  const text = JSON.stringify(run());
  await expect(parseRun(text, 'run.json')).resolves.toEqual(JSON.parse(text));
});

test('what a later version adds is left alone', async () => {
  await expect(parseRun(JSON.stringify({ ...heldRun(), more: 1 }), 'run.json')).resolves.toHaveProperty('more', 1);
});

describe('refused', () => {
  const [probe] = heldRun().probes;
  const [series] = probe?.series ?? [];
  test.each([
    ['no JSON', '{', 'it is no JSON'],
    ['no object', '[]', 'it is not as expected'],
    ['something is missing', JSON.stringify({ ...heldRun(), host: undefined }), 'host in it'],
    ['a verdict that there is not', JSON.stringify({ ...heldRun(), verdict: 'fine' }), 'verdict in it'],
    [
      'a point without a moment',
      JSON.stringify({ ...heldRun(), probes: [{ ...probe, series: [{ ...series, points: [[null, 1]] }] }] }),
      'a point of a curve has no moment',
    ],
    [
      'markup in place of a number',
      JSON.stringify({ ...heldRun(), probes: [{ ...probe, failures: { refused: { markup: '<b>' } } }] }),
      'probes.0.failures.refused in it',
    ],
  ])('%s', async (_name, text, hint) => {
    await expect(parseRun(text, 'run.json')).rejects.toMatchObject({
      code: 'ARGUMENT_INVALID',
      message: 'run.json is not the document of a run',
      hint: expect.stringContaining(hint),
    });
  });
});
