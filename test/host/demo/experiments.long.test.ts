import { readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, test } from 'vitest';
import { startSite } from '../../../src/demo/start-site.ts';
import type { RunDocument } from '../../../src/runner/result.ts';
import { cli, tempFolder, tempStateDir } from '../../support/cli.ts';
import { get } from '../../support/http-requests.ts';
import { hasNginx } from '../../support/nginx.ts';
import { watchStolenTime } from '../../support/stolen-time.ts';

/*
 * The three experiments of examples/fizzbuzz, as a user runs them, with the verdict that their lessons state: every
 * time, with both balancers. FAULTLINE_TEST_ROUNDS says how often.
 */

const root = path.resolve(import.meta.dirname, '../../..');
const program = [process.execPath, path.join(root, 'dist/faultline.js')];
const rounds = Number(process.env['FAULTLINE_TEST_ROUNDS'] ?? 1);

const mostTries = 4;

const expected = {
  'kill-under-get': { code: 0, verdict: 'held', reason: /stayed within/ },
  'kill-under-post': { code: 1, verdict: 'deviated', reason: /^answers: success was/ },
  'stop-4s': { code: 1, verdict: 'deviated', reason: /^answers: p99 was/ },
} as const;

async function runExample(name: keyof typeof expected, url: string): Promise<RunDocument> {
  const text = readFileSync(path.join(root, `examples/fizzbuzz/${name}.yaml`), 'utf8');
  const file = path.join(tempFolder(), `${name}.yaml`);
  writeFileSync(file, text.replaceAll('http://127.0.0.1:8080', url));
  for (let tries = 1; ; tries++) {
    const stolenShare = watchStolenTime();
    const { code, stdout, stderr } = await cli(['run', file, '-o', 'json'], { stateDir: tempStateDir() });
    const run = JSON.parse(stdout) as RunDocument;
    // A machine that has no time for it before anything is injected says nothing about the lesson.
    if (tries < mostTries && run.reason.startsWith('not steady before the start')) continue;
    // Nor does one that stood still meanwhile, as far as it knows.
    const stoodStill = run.journal.some(({ text }) => text.startsWith('this machine held up Faultline'));
    const isAsStated = code === expected[name].code;
    if (tries < mostTries && !isAsStated && (stoodStill || stolenShare() > 0.1)) continue;
    expect(code, `${run.reason}\n${stderr}`).toBe(expected[name].code);
    return run;
  }
}

/** Programs that have just started are slow, which no lesson is about. */
async function warmUp(url: string): Promise<void> {
  for (let round = 0; round < 50; round++) {
    const asked = Array.from({ length: 4 }, () => get(`${url}/api/v1/fizzbuzz?number=15`));
    expect((await Promise.all(asked)).every(({ status }) => status === 200)).toBe(true);
  }
}

const names = ['kill-under-get', 'kill-under-post', 'stop-4s'] as const;

async function runAll(nginx: boolean): Promise<readonly RunDocument[]> {
  const site = await startSite(program, nginx);
  const runs: RunDocument[] = [];
  try {
    await warmUp(site.url);
    for (const name of names) runs.push(await runExample(name, site.url));
    return runs;
  } finally {
    await site.end();
  }
}

function checkAll(runs: readonly RunDocument[]): void {
  for (const [index, name] of names.entries()) {
    const run = runs[index];
    expect(run?.verdict, name).toBe(expected[name].verdict);
    expect(run?.reason, name).toMatch(expected[name].reason);
    expect(run?.blastRadius.actual, name).toMatchObject({ targets: 1, percent: 50 });
    // Whoever else is called so, in a container of somebody's, may die meanwhile.
    const byUs = (run?.deaths ?? []).filter(({ sentence }) => sentence.includes('SIGKILL, by us, injection'));
    expect(
      byUs.map(({ name: who }) => who),
      name,
    ).toEqual(name === 'stop-4s' ? [] : ['fizzbuzz-api']);
  }
}

describe.each(Array.from({ length: rounds }, (_, round) => round + 1))('round %i', () => {
  test('with the balancer of the demo', { timeout: 300_000 }, async () => {
    const runs = await runAll(false);
    checkAll(runs);
    expect(runs.length).toBe(3);
  });

  test.skipIf(!hasNginx)('with the real nginx (skipped without it)', { timeout: 300_000 }, async () => {
    const runs = await runAll(true);
    checkAll(runs);
    expect(runs.length).toBe(3);
  });
});
