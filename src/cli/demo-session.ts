import { accessSync, constants, writeFileSync } from 'node:fs';
import path from 'node:path';
import { plain } from '../api/documents.ts';
import { FaultlineError } from '../base/error.ts';
import { printable } from '../base/text.ts';
import { apiServerName } from '../demo/api-server.ts';
import { demoExperiment } from '../demo/experiment.ts';
import { findNginx } from '../demo/nginx.ts';
import { type Site, startSite } from '../demo/start-site.ts';
import { parseCriteria } from '../targets/criteria.ts';
import { matchProcesses } from '../targets/match.ts';
import { readProcessTable } from '../targets/process-table.ts';
import type { Experiment } from '../runner/experiment.ts';
import type { RunDocument } from '../runner/result.ts';
import { ownProgram, withEngine } from './engine-session.ts';
import { interruption } from './interruption.ts';
import type { Invocation } from './invocation.ts';
import { sayDocument } from './output/format.ts';
import { narrateRun } from './output/run-narration.ts';
import { runText } from './output/run-text.ts';
import { remark, say } from './output/style.ts';

export interface DemoRequest {
  readonly nginx: boolean;
  /** Where the report goes. */
  readonly report: string;
}

/** @throws {FaultlineError} ARGUMENT_INVALID: better now than when all is over */
function refuseUnwritable(report: string): void {
  const folder = path.dirname(path.resolve(report));
  try {
    accessSync(folder, constants.W_OK);
  } catch (cause) {
    throw new FaultlineError('ARGUMENT_INVALID', `the report cannot be written into ${printable(folder)}`, {
      hint: 'say where with --report FILE',
      cause,
    });
  }
}

/** The probe counts processes by their name, so others of that name would be in the way. */
function refuseNamesakes(): void {
  const { processes } = matchProcesses(parseCriteria({ process: apiServerName }), readProcessTable());
  if (processes.length === 0) return;
  const pids = processes.map(({ identity }) => identity.pid).join(', ');
  throw new FaultlineError('GUARD_CONFLICT', `there are processes called ${apiServerName} on this host: ${pids}`, {
    hint: 'wait for the other demo to end, or end these processes',
  });
}

async function perform(invocation: Invocation, site: Site, experiment: Experiment): Promise<RunDocument> {
  const { runExperiment } = await import('../runner/run.ts');
  const interrupted = interruption();
  // Its journal goes with it: the demo is no entry in that of this host.
  const own = { ...invocation, stateDir: path.join(site.folder, 'state') };
  return await withEngine(own, { via: 'demo', supervise: false }, async (engine) => {
    const narration = narrateRun();
    try {
      return await runExperiment(experiment, engine, {
        interrupted: interrupted.signal,
        insisted: interrupted.insisted(),
        observe: narration.observe,
      });
    } finally {
      narration.end();
    }
  });
}

async function conclude({ format }: Invocation, run: RunDocument, report: string): Promise<void> {
  const { htmlReport } = await import('../runner/report/html.ts');
  writeFileSync(report, htmlReport(run));
  const next = 'Next:       open the report in a browser; then write an experiment of your own: faultline init my.yaml';
  if (format === 'text') say(`${runText(run, path.resolve(report))}\n${next}`);
  else await sayDocument(plain(run), format);
  const { verdict } = run;
  if (verdict === 'aborted') process.exitCode = interruption().exitCode() ?? 2;
  if (verdict === 'error' || verdict === null) process.exitCode = 3;
}

/** The demo from its start to its end. Whatever happens, all that it has started is gone then. */
export async function demoSession(invocation: Invocation, { nginx, report }: DemoRequest): Promise<void> {
  refuseUnwritable(report);
  refuseNamesakes();
  if (nginx) findNginx();
  interruption(); // from now on Ctrl-C is heard, and undoes
  remark(`Starting FizzBuzz as a service: ${nginx ? 'nginx' : 'a balancer'} and two API servers, on loopback`);
  const [site, { readExperiment }] = await Promise.all([
    startSite(ownProgram(), nginx),
    import('../runner/file/read.ts'),
    import('../runner/run.ts'),
    import('../experiment/engine.ts'),
  ]);
  try {
    const text = demoExperiment({ url: site.url, mark: path.basename(site.folder), nginx });
    await conclude(invocation, await perform(invocation, site, await readExperiment(text, 'demo.yaml')), report);
  } finally {
    await site.end();
  }
}
