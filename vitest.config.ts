import { defineConfig } from 'vitest/config';

const ci = process.env['CI'] !== undefined;

/** Where `.ci/run` wants the results of a run as JSON, to add them up. */
const resultsFile = process.env['FAULTLINE_TEST_RESULTS'];

/** Minutes each, of the same thing again and again: `.ci/run` has them on one version of Node.js only. */
const longTests = 'test/host/**/*.long.test.ts';

const withRealProcesses = {
  globalSetup: ['test/setup/build.ts', 'test/setup/leaks.ts'],
  // Real processes that stop, die and come back, on machines with two processors.
  maxWorkers: 2,
  testTimeout: 120_000,
  hookTimeout: 120_000,
};

export default defineConfig({
  test: {
    // A snapshot or an `only` that was left in a file must not pass unseen.
    allowOnly: !ci,
    teardownTimeout: 60_000,
    ...(resultsFile === undefined ? {} : { reporters: ['default', ['json', { outputFile: resultsFile }]] }),
    projects: [
      {
        test: {
          name: 'unit',
          include: ['src/**/*.test.ts', 'scripts/**/*.test.ts'],
          testTimeout: 20_000,
        },
      },
      {
        test: {
          ...withRealProcesses,
          name: 'host',
          include: ['test/host/**/*.test.ts'],
          exclude: [longTests],
          // After the unit tests: what is measured here should not share the machine with them.
          sequence: { groupOrder: 1 },
        },
      },
      {
        test: {
          ...withRealProcesses,
          name: 'long',
          include: [longTests],
          sequence: { groupOrder: 2 },
        },
      },
    ],
  },
});
