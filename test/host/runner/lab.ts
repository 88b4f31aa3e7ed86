import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import path from 'node:path';
import { expect } from 'vitest';
import type { JsonObject } from '../../../src/base/json.ts';
import { readCmdline } from '../../../src/linux/procfs/cmdline.ts';
import type { RunDocument } from '../../../src/runner/result.ts';
import { readProcessTable } from '../../../src/targets/process-table.ts';
import { endWithTest } from '../../support/children.ts';
import { cli, finished, type Ran, startCli, tempFolder } from '../../support/cli.ts';
import { readJournal } from '../../support/journal.ts';
import { listening } from '../../support/listening.ts';
import { start, type TestProcess } from '../targets/processes.ts';

/** A web server of the test's own, in its own process: nobody attacks it. @returns its URL */
export async function webServer(): Promise<string> {
  const server = createServer((_request, response) => {
    response.end('well');
  });
  return `http://127.0.0.1:${await listening(server)}/`;
}

const serverProgram = `
const server = require('node:http').createServer((_request, response) => response.end('well'));
server.listen(0, '127.0.0.1', () => console.log(server.address().port));`;

/** A web server in a process that may be attacked. */
export async function attackableServer(): Promise<{ readonly target: TestProcess; readonly url: string }> {
  const target = await start(process.execPath, ['-e', serverProgram], { stdio: ['ignore', 'pipe', 'ignore'] });
  const { stdout } = target.child;
  if (stdout === null) throw new Error('the server has no output');
  const [line] = (await once(stdout, 'data')) as [Buffer];
  return { target, url: `http://127.0.0.1:${Number(line.toString())}/` };
}

/** Requests that must be answered; however late, since a machine with too little time may be slow. */
export function answers(url: string, expectations: JsonObject = { success: { atLeast: '99%' } }): JsonObject {
  return { http: { url, rate: '50/s', timeout: '60s' }, expect: expectations };
}

/** A file with an experiment. Times are short; what is given goes before that. */
export function experimentFile(parts: JsonObject): string {
  const { probes = {}, ...rest } = parts;
  const experiment = {
    experiment: 'tried',
    hypothesis: 'It holds.',
    steadyState: { before: '500ms', after: '500ms', recovery: '20s', probes },
    blastRadius: { targets: 1, duration: '10m' },
    ...rest,
  };
  const file = path.join(tempFolder(), 'experiment.yaml');
  writeFileSync(file, JSON.stringify(experiment)); // JSON is YAML, too
  return file;
}

/** What a run came to, as a user of the command has it. */
export interface Outcome {
  readonly ran: Ran;
  readonly run: RunDocument;
}

function outcomeOf(ran: Ran): Outcome {
  if (ran.stdout === '') throw new Error(`no document; exit code ${ran.code}: ${ran.stderr}`);
  return { ran, run: JSON.parse(ran.stdout) as RunDocument };
}

export async function runOf(file: string, stateDir: string): Promise<Outcome> {
  return outcomeOf(await cli(['run', file, '-o', 'json'], { stateDir }));
}

/** A run that goes on while the test does something. */
export interface Started {
  readonly child: ChildProcess;
  ended(): Promise<Ran>;
  outcome(): Promise<Outcome>;
}

export function startRun(file: string, stateDir: string): Started {
  const child = startCli(['run', file, '-o', 'json'], { stateDir });
  endWithTest(child);
  const ran = finished(child);
  return { child, ended: () => ran, outcome: async () => outcomeOf(await ran) };
}

/** Is nothing of any run left to undo? */
export function expectNothingLeft(stateDir: string): void {
  const live = readJournal(stateDir).filter(({ record }) =>
    ['injecting', 'injected', 'recovering'].includes(record.state),
  );
  expect(live.map(({ record }) => `${record.uid} ${record.state}`)).toEqual([]);
}

export const story = ({ journal }: RunDocument): string => journal.map(({ text }) => text).join('\n');

export function keepersOf(stateDir: string): readonly number[] {
  return readProcessTable()
    .pids()
    .filter((pid) => readCmdline(pid)?.includes('keeper') === true && readCmdline(pid)?.includes(stateDir) === true);
}
