import { expect, it } from 'vitest';
import { readExperiment } from '../../runner/file/read.ts';
import { exampleExperiment } from './example.ts';

it('the example is valid, and what it says of defaults is so', async () => {
  const { steadyState, ...rest } = await readExperiment(exampleExperiment, 'example.yaml');
  // Without what it says beside the values that are the defaults.
  const defaults = ['before: 3s', 'after: 3s', 'recovery: 10s', 'timeout: 5s', 'success: 200-299', 'for: 2s'];
  const without = exampleExperiment.split('\n').filter((line) => !defaults.some((one) => line.trim().startsWith(one)));
  const { steadyState: same, ...sameRest } = await readExperiment(without.join('\n'), 'example.yaml');
  expect(same).toEqual(steadyState);
  expect({ ...sameRest, file: undefined }).toEqual({ ...rest, file: undefined });
  for (const line of exampleExperiment.split('\n')) expect(line.length).toBeLessThanOrEqual(100);
});
