/**
 * `npm run test:guest`: the tests of test/guest, in one boot of a guest. Arguments are those of `vitest run`, as the
 * name of a file or `-t NAME`. For the environment see scripts/guest.ts; FAULTLINE_TEST_RESULTS names a file for
 * vitest's JSON.
 *
 * It ends with 69 where there can be no guest on this machine. The last line is `N passed, N failed`.
 */
import { parseCLI, startVitest, type Reporter, type TestModule } from 'vitest/node';
import { buildDist } from './build/dist.ts';
import { obtainKernel } from './guest/kernel.ts';
import { type GuestEnd, type GuestRun, runInGuest, withProgram } from './guest/lab.ts';
import { type GuestWorker, guestWorker } from './guest/pool.ts';
import { requireTools } from './guest/required-tools.ts';
import { runScript } from './guest/script.ts';
import { settings } from './guest/settings.ts';
import { tellBroken, tellFigures } from './guest/telling.ts';
import { root } from './lib/tree.ts';

/** Of all tests, in one boot, where QEMU translates on a busy machine. */
const timeoutSeconds = 1380;

interface Counts {
  passed: number;
  failed: number;
  skipped: number;
}

/** Counts tests, and as one failure more each file that fails by itself and each error that is nobody's. */
function counter(counts: Counts): Reporter {
  const count = (module: TestModule): void => {
    for (const test of module.children.allTests()) {
      const { state } = test.result();
      counts[state === 'passed' || state === 'failed' ? state : 'skipped'] += 1;
    }
    counts.failed += module.errors().length;
  };
  return {
    onTestRunEnd: (modules, errors) => {
      for (const module of modules) count(module);
      counts.failed += errors.length;
    },
  };
}

/** A pair, where TypeScript would see an array of two things. */
function jsonReporter(outputFile: string): ['json', { outputFile: string }] {
  return ['json', { outputFile }];
}

async function runTests(worker: GuestWorker): Promise<Counts> {
  const { filter, options } = parseCLI(['vitest', 'run', ...process.argv.slice(2)]);
  const counts: Counts = { passed: 0, failed: 0, skipped: 0 };
  const results = process.env['FAULTLINE_TEST_RESULTS'];
  const vitest = await startVitest('test', filter, {
    ...options,
    config: false,
    root,
    watch: false,
    allowOnly: ci === undefined,
    reporters: ['default', counter(counts), ...(results === undefined ? [] : [jsonReporter(results)])],
    projects: [
      {
        test: {
          name: 'guest',
          include: ['test/guest/**/*.test.ts'],
          pool: worker.pool,
          fileParallelism: false,
          // Without KVM all is twenty times slower than on the host, and that may be held up by others.
          testTimeout: 300_000,
          hookTimeout: 300_000,
        },
      },
    ],
  });
  await vitest.close();
  return counts;
}

/** Run the tests in a guest that is about to boot. @returns how they went, and how the guest has ended */
async function runInBoot(
  boot: (worker: GuestWorker) => Promise<GuestEnd>,
): Promise<{ readonly end: GuestEnd; readonly counts: Counts }> {
  const worker = guestWorker();
  const ending = boot(worker).then((end) => {
    worker.lose(end.kind === 'broken' ? end.why : 'the guest has ended');
    return end;
  });
  const early = await Promise.race([worker.listening, ending]);
  if (early !== undefined) return { end: early, counts: { passed: 0, failed: 1, skipped: 0 } };
  const counts = await runTests(worker);
  worker.dismiss();
  return { end: await ending, counts };
}

const ci = process.env['CI'];

/** What vitest's own workers find in their environment. */
const env = { VITEST: 'true', TEST: 'true', NODE_ENV: 'test', ...(ci === undefined ? {} : { CI: ci }) };

function portsOf(worker: GuestWorker): GuestRun['onConnect'] {
  return (port, socket) => {
    if (port === 'channel') worker.connect(socket);
    else socket.pipe(port === 'stdout' ? process.stdout : process.stderr, { end: false });
  };
}

await runScript(async (signal) => {
  requireTools();
  const kernel = await obtainKernel(signal);
  console.error(await buildDist());
  return withProgram('test/guest/worker.ts', ['vitest', 'vitest/worker'], async (program) => {
    const command = [process.execPath, program];
    const { end, counts } = await runInBoot((worker) =>
      runInGuest({ ...settings(timeoutSeconds), kernel, command, cwd: root, env, onConnect: portsOf(worker), signal }),
    );
    signal.throwIfAborted();
    if (end.kind === 'broken') tellBroken(end);
    else tellFigures(end);
    // A guest that was lost is a failure, whatever its tests have come to before.
    const failed = end.kind === 'broken' ? Math.max(counts.failed, 1) : counts.failed;
    const skipped = counts.skipped > 0 ? `, ${counts.skipped} skipped` : '';
    console.log(`${counts.passed} passed, ${failed} failed${skipped}`);
    return failed === 0 && counts.passed > 0 ? 0 : 1;
  });
});
