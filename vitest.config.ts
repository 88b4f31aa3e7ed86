import { defineConfig } from 'vitest/config';
import { BaseSequencer, type TestSpecification } from 'vitest/node';

const ci = process.env['CI'] !== undefined;

/** Where `.ci/run` wants the results of a run as JSON, to add them up. */
const resultsFile = process.env['FAULTLINE_TEST_RESULTS'];

/** Minutes each, of the same thing again and again: `.ci/run` has them on one version of Node.js only. */
const longTests = 'test/host/**/*.long.test.ts';

/** Is it a run of what has been run already, on another Node.js and by another user? Pages are the same for him. */
const onceMore = process.env['FAULTLINE_TEST_ONCE_MORE'] !== undefined;

/** What looks at its process as a whole: what is loaded, how much memory it takes; or replaces a module. */
const aloneTests = 'src/**/*.alone.test.ts';

/** What takes a minute or more. Begun last, one of them would keep a single worker busy for as long. */
const slowTests = [
  'host/docs.test.ts',
  'engine/crash.test.ts',
  'cli/completion.test.ts',
  'cli/remote.test.ts',
  'io/several.test.ts',
  'engine/lease.test.ts',
  'engine/hostile.test.ts',
  'server/lifecycle.test.ts',
  'server/requests.test.ts',
  'cli/apply.test.ts',
  'io/death-at-each-step.long.test.ts',
  'posix/ext4.long.test.ts',
];

/** Where nothing is known of how long files take, as after `npm ci`, vitest goes by their sizes. */
class SlowFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const sorted = await super.sort(files);
    const isSlow = ({ moduleId }: TestSpecification): boolean => slowTests.some((name) => moduleId.endsWith(name));
    return [...sorted.filter(isSlow), ...sorted.filter((file) => !isSlow(file))];
  }
}

const withRealProcesses = {
  setupFiles: ['test/setup/own-group.ts', 'test/setup/tried-again.ts'],
  globalSetup: ['test/setup/build.ts', 'test/setup/leaks.ts', 'test/setup/hold-ups.ts'],
  // Only where the machine stood still meanwhile: see test/setup/tried-again.ts.
  retry: 1,
  // Real processes that stop, die and come back, on machines with two processors.
  maxWorkers: 2,
  // For what takes seconds: CI may be slow, and held up by others on its host.
  testTimeout: 300_000,
  hookTimeout: 300_000,
};

export default defineConfig({
  test: {
    // A snapshot or an `only` that was left in a file must not pass unseen.
    allowOnly: !ci,
    teardownTimeout: 120_000,
    sequence: { sequencer: SlowFirst },
    ...(resultsFile === undefined ? {} : { reporters: ['default', ['json', { outputFile: resultsFile }]] }),
    projects: [
      {
        test: {
          name: 'unit',
          include: ['src/**/*.test.ts', 'scripts/**/*.test.ts'],
          exclude: [aloneTests],
          // Some two hundred files in a few processes: to start one for each takes twice as long as all the tests.
          isolate: false,
          testTimeout: 60_000,
          hookTimeout: 60_000,
        },
      },
      { test: { name: 'alone', include: [aloneTests], testTimeout: 60_000 } },
      {
        test: {
          ...withRealProcesses,
          name: 'host',
          include: ['test/host/**/*.test.ts'],
          exclude: [longTests, ...(onceMore ? ['test/host/docs.test.ts'] : [])],
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
      {
        test: {
          // Skipped, and loudly, where there is no Chromium.
          name: 'browser',
          include: ['test/browser/**/*.test.ts'],
          setupFiles: ['test/setup/tried-again.ts'],
          globalSetup: ['test/setup/leaks.ts', 'test/setup/hold-ups.ts'],
          retry: 1,
          maxWorkers: 1,
          testTimeout: 120_000,
          hookTimeout: 120_000,
          sequence: { groupOrder: 3 },
        },
      },
    ],
  },
});
