import { accessSync, constants, writeFileSync } from 'node:fs';
import path from 'node:path';
import { plain } from '../api/documents.ts';
import { asFaultlineError, FaultlineError } from '../base/error.ts';
import { printable } from '../base/text.ts';
import type { Engine } from '../experiment/engine.ts';
import type { RunDocument, RunVerdict } from '../runner/result.ts';
import { withEngine } from './engine-session.ts';
import { refuseService } from './operations-session.ts';
import { experimentAt } from './experiments/experiment-file.ts';
import { interruption } from './interruption.ts';
import type { Invocation } from './invocation.ts';
import { remarkError } from './output/errors.ts';
import { sayDocument } from './output/format.ts';
import { narrateRun } from './output/run-narration.ts';
import { runText } from './output/run-text.ts';
import { say } from './output/style.ts';

export interface RunRequest {
  readonly file: string;
  /** Where the report is to be written. */
  readonly report: string | undefined;
  readonly junit: string | undefined;
}

const exitCodes: Readonly<Record<RunVerdict, number>> = { held: 0, deviated: 1, aborted: 2, error: 3 };

/** @throws {FaultlineError} ARGUMENT_INVALID: better now than when all is over */
function refuseUnwritable(file: string | undefined): void {
  if (file === undefined) return;
  const folder = path.dirname(path.resolve(file));
  try {
    accessSync(folder, constants.W_OK);
  } catch (cause) {
    const hint = cause instanceof Error ? cause.message : String(cause);
    throw new FaultlineError('ARGUMENT_INVALID', `nothing can be written into ${printable(folder)}`, { hint, cause });
  }
}

async function perform(engine: Engine, { file }: RunRequest): Promise<RunDocument> {
  const [{ experiment }, { runExperiment }] = await Promise.all([experimentAt(file), import('../runner/run.ts')]);
  const { signal, insisted } = interruption();
  const narration = narrateRun();
  try {
    return await runExperiment(experiment, engine, {
      interrupted: signal,
      insisted: insisted(),
      observe: narration.observe,
    });
  } finally {
    narration.end();
  }
}

async function reportText(run: RunDocument, file: string): Promise<string> {
  if (/\.(md|markdown)$/i.test(file)) return (await import('../runner/report/markdown.ts')).markdownReport(run);
  return (await import('../runner/report/html.ts')).htmlReport(run);
}

async function writeReports(run: RunDocument, { report, junit }: RunRequest): Promise<void> {
  if (report !== undefined) writeFileSync(report, await reportText(run, report));
  if (junit !== undefined) writeFileSync(junit, (await import('../runner/report/junit.ts')).junitReport(run));
}

async function conclude({ format }: Invocation, run: RunDocument, request: RunRequest): Promise<void> {
  const { report } = request;
  process.exitCode = exitCodes[run.verdict ?? 'error'];
  let unwritten: unknown;
  try {
    await writeReports(run, request);
  } catch (error) {
    unwritten = error;
  }
  const written = report === undefined || unwritten !== undefined ? undefined : path.resolve(report);
  if (format === 'text') say(runText(run, written));
  else await sayDocument(plain(run), format);
  if (unwritten === undefined) return;
  const hint = asFaultlineError(unwritten).message;
  throw new FaultlineError('ARGUMENT_INVALID', 'the run is over, but its report could not be written', { hint });
}

/** Run an experiment; the exit code is its verdict, and that of an error where there is none. */
export async function runSession(invocation: Invocation, request: RunRequest): Promise<void> {
  try {
    refuseService(invocation, 'run FILE');
    refuseUnwritable(request.report);
    refuseUnwritable(request.junit);
    await withEngine(invocation, { via: 'cli', supervise: true }, async (engine) => {
      await conclude(invocation, await perform(engine, request), request);
    });
  } catch (error) {
    // Told here: 1, the exit code of most errors, would say that the hypothesis does not hold.
    remarkError(error, invocation.format);
    process.exitCode = exitCodes.error;
  }
}
