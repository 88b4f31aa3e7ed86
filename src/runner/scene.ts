import type { Engine } from '../experiment/engine.ts';
import type { Experiment } from './experiment.ts';
import type { Ledger } from './ledger.ts';
import type { RunningProbe } from './probe/probe.ts';

/** What every part of a run works with. */
export interface Scene {
  readonly uid: string;
  readonly experiment: Experiment;
  /** Its attacks are broken off, and undone, when the method is. */
  readonly engine: Engine;
  readonly ledger: Ledger;
  readonly probes: readonly RunningProbe[];
  /** Aborted when the method must not go on, whatever the reason. */
  readonly stopped: AbortSignal;
  /** Aborted when the user wants out at once: nothing but undoing injections is begun any more. */
  readonly insisted: AbortSignal;
  /** CLOCK_BOOTTIME ms at which the run began. */
  readonly startBootMs: number;
  /** End the method now. The gravest verdict counts. */
  stop(verdict: 'aborted' | 'error', reason: string): void;
  /** Resolves when all that is known by now is durably written down. @throws {FaultlineError} STATE_… */
  written(): Promise<void>;
}

/** @throws {Error} a file that was read names no probe that there is not */
export function probeNamed({ probes }: Scene, name: string): RunningProbe {
  const found = probes.find(({ probe }) => probe.name === name);
  if (found === undefined) throw new Error(`there is no probe ${name}`);
  return found;
}
