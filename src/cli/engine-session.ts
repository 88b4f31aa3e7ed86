import { printable } from '../base/text.ts';
import type { Engine } from '../experiment/engine.ts';
import type { EngineEvent, Observer } from '../experiment/events.ts';
import type { Repair } from '../experiment/repair.ts';
import { FaultlineError } from '../base/error.ts';
import { interruption } from './interruption.ts';
import type { Invocation } from './invocation.ts';
import { showProgress } from './output/progress.ts';
import { remark } from './output/style.ts';

export interface SessionOptions {
  readonly via: string;
  /** Undo first what was left behind. A dry run does not: it changes nothing. */
  readonly supervise: boolean;
}

const observers: Observer[] = [];

/** Let a program that embeds the command line hear every event of the engine, too. */
export function alsoObserve(observer: Observer): void {
  observers.push(observer);
}

function remarkEvent(event: EngineEvent): void {
  if (event.type === 'writing' || event.type === 'progress') return;
  remark(`debug: ${event.type} ${event.uid ?? ''} ${printable(JSON.stringify(event.data))}`);
}

function remarkRepair({ uid, reason, outcome }: Repair): void {
  if (outcome instanceof FaultlineError) {
    remark(`Warning: ${uid} was left behind (${printable(reason)}) and could not be repaired: ${outcome.message}`);
    return;
  }
  const ended = `${uid} was left behind (${printable(reason)}); it is ${outcome.record.state} now`;
  remark(outcome.record.state === 'injected' ? `Warning: ${ended}` : `Repaired: ${ended}`);
}

async function repairFirst(engine: Engine, quiet: boolean): Promise<void> {
  try {
    for (const repair of await engine.supervise()) if (!quiet) remarkRepair(repair);
  } catch (error) {
    // A command goes on with its own work: what cannot be repaired now stays in the journal.
    if (!(error instanceof FaultlineError)) throw error;
    if (error.code.startsWith('STATE_')) throw error;
    remark(`Warning: ${error.message}`);
  }
}

/** How to run this very program: its interpreter and its script. */
export function ownProgram(): readonly string[] {
  return [process.execPath, process.argv[1] ?? ''];
}

/** Do something with the engine: open it, repair what was left behind, show progress, close it whatever happens. */
export async function withEngine<Result>(
  invocation: Invocation,
  options: SessionOptions,
  body: (engine: Engine) => Promise<Result>,
): Promise<Result> {
  // Help, completion and mistyped commands need no engine: SQLite and the bindings are loaded from here on.
  const { openEngine } = await import('../experiment/engine.ts');
  const debug = invocation.logLevel === 'debug';
  const progress = showProgress();
  let engine: Engine | undefined;
  try {
    engine = openEngine({
      stateDir: invocation.stateDir,
      via: options.via,
      program: ownProgram(),
      interrupted: interruption().signal,
      observe: (event) => {
        progress.observe(event);
        for (const observe of observers) observe(event);
        if (debug) remarkEvent(event);
      },
    });
    if (options.supervise) await repairFirst(engine, invocation.logLevel === 'error');
    return await body(engine);
  } finally {
    progress.stop();
    engine?.close();
  }
}
