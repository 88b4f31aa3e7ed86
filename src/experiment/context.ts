import { FaultlineError } from '../base/error.ts';
import type { JsonObject } from '../base/json.ts';
import type { FaultDescriptor } from '../faults/fault.ts';
import { faultOf } from '../faults/registry.ts';
import { type Host, readHost } from '../linux/host.ts';
import { readStat } from '../linux/procfs/stat.ts';
import { resolveStateDir } from '../store/state-dir.ts';
import { openStoreLazily, type Store } from '../store/store.ts';
import { identityOf, type ProcessIdentity } from '../targets/identity.ts';
import { currentActor } from './actor.ts';
import type { Observer } from './events.ts';
import { type Policy, readPolicy } from './policy.ts';
import { type JournalTail, journalTail } from './tail.ts';
import { type Timeline, timelineOver } from './timeline.ts';

/** What every step of an injection's life works with. */
export interface EngineContext {
  readonly stateDir: string;
  readonly store: Store;
  readonly timeline: Timeline;
  /** What this process and others write to the timeline. */
  readonly tail: JournalTail;
  readonly host: Host;
  /** Read when something is to be injected: a policy that is broken must not stand in the way of undoing. */
  policy(): Promise<Policy>;
  /** Who acts, for the audit log. */
  readonly actor: JsonObject;
  /** This process. */
  readonly self: ProcessIdentity;
  /** How to run this very program: its interpreter and its script. */
  readonly program: readonly string[];
  /** A process that sees files as users do; absent: this one. */
  readonly viewPid?: number;
  /** Aborted when the user wants out: what is being injected is then undone. */
  readonly interrupted: AbortSignal;
  /** Attacks of this process by uid, so that one that is asked for twice happens once. */
  readonly underWay: Map<string, Promise<unknown>>;
  descriptorOf(kind: string): FaultDescriptor;
}

export interface EngineOptions {
  /** Where the journal lives; by default as `resolveStateDir` says. */
  readonly stateDir: string | undefined;
  /** Who asks, for the audit log: `cli`, `keeper`. */
  readonly via: string;
  /** How to run this very program, for processes of its own such as the keeper: its interpreter and its script. */
  readonly program: readonly string[];
  /** A process that sees files as users do; absent: this one. */
  readonly viewPid?: number;
  /** Abort it to stop what is being injected; it is then undone. */
  readonly interrupted: AbortSignal;
  readonly observe: Observer;
}

/** @throws {FaultlineError} ARCHITECTURE_UNSUPPORTED, HOST_UNSUPPORTED */
export function openContext(options: EngineOptions): EngineContext {
  const self = readStat('self');
  if (self === undefined) {
    throw new FaultlineError('HOST_UNSUPPORTED', 'this process cannot be seen in /proc', {
      hint: 'mount a procfs of this PID namespace on /proc',
    });
  }
  const host = readHost();
  const stateDir = resolveStateDir(options.stateDir);
  const store = openStoreLazily(stateDir);
  const tail = journalTail(store);
  const observe: Observer = (event) => {
    options.observe(event);
    if (event.type === 'written') tail.nudge();
  };
  return Object.freeze({
    stateDir,
    store,
    timeline: timelineOver(store, observe),
    tail,
    host,
    policy: readPolicy,
    actor: currentActor(options.via),
    self: identityOf(self),
    program: options.program,
    ...(options.viewPid === undefined ? {} : { viewPid: options.viewPid }),
    interrupted: options.interrupted,
    underWay: new Map(),
    descriptorOf: faultOf,
  });
}
