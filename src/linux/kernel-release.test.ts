import { expect, test } from 'vitest';
import { isKernelAtLeast, kernelRelease } from './kernel-release.ts';

test.each([
  ['6.15.0', true],
  ['6.15-rc3', true],
  ['6.18.44-generic', true],
  ['7.0.1', true],
  ['6.14.9', false],
  ['6.8.0-45-generic', false],
  ['5.99.0', false],
  ['unknown', false],
  ['', false],
])('%s is at least 6.15: %j', (release, expected) => {
  expect(isKernelAtLeast(6, 15, release)).toBe(expected);
});

test('the running kernel has a release', () => {
  expect(kernelRelease()).toMatch(/^\d+\.\d+/);
  expect(isKernelAtLeast(3, 0)).toBe(true);
});
