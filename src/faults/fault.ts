import type { TSchema } from '../base/schema-types.ts';
import type { JsonObject } from '../base/json.ts';
import type { EffectStatus, TargetRef, Verdict } from '../base/lifecycle.ts';
import type { Host } from '../linux/host.ts';
import type { Protection } from '../targets/select.ts';
import type { ObjectKind } from './object-kind.ts';

/*
 * The one port: what every fault kind is. A kind is a folder beside this file; its descriptor is registered in
 * `registry.ts`. `docs/creating-a-fault.md` walks through one.
 */

/** The light half of a fault: plain data, loaded with every command, from which flags, help and schemas are made. */
export interface FaultDescriptor {
  /** `process` */
  readonly kind: string;
  /** One line of help. */
  readonly summary: string;
  readonly actions: Readonly<Record<string, ActionDescriptor>>;
  /** The kinds of Chaos Mesh's objects that `faultline apply` has it carry out. */
  readonly objects?: readonly ObjectKind[];
  /** The action that is meant where none is named: `attack kernel --failtype slab`. */
  readonly defaultAction?: string;
  /** Many a host cannot do it, and lacks nothing because of that: what it would need is no reason for alarm. */
  readonly optional?: boolean;
  /** The heavy half, loaded when the fault is used. */
  load(): Promise<Fault>;
  /** Processes of its own that it runs, by name: `faultline fault-program KIND NAME`. */
  readonly programs?: Readonly<Record<string, () => Promise<FaultProgram>>>;
}

/**
 * A process that a fault runs for itself, by {@link Site.program}.
 *
 * @param argument what it was started with
 * @returns what it prints at its end, if anything
 */
export type FaultProgram = (site: Site, argument: string) => Promise<string | undefined>;

export interface ActionDescriptor {
  /** One line of help. */
  readonly summary: string;
  /** Other names of the action that existing clients send: `attrOverride`. */
  readonly aliases?: readonly string[];
  /** Paragraphs for `--help` and the reference. */
  readonly details: readonly string[];
  /** An object schema whose properties carry a `Presentation`. */
  readonly schema: TSchema & { readonly properties: Readonly<Record<string, TSchema>> };
  readonly examples: readonly Example[];
}

export interface Example {
  /** Arguments after the program's name: `attack process kill -p nginx` */
  readonly command: string;
  /** What it does, in a line. */
  readonly does: string;
}

/**
 * The heavy half. All methods may be called in any process: the command, the keeper, the service, or a later command
 * after a crash; they share nothing but the journal.
 *
 * There is no state value that `inject` returns: it would be lost in a crash, and recovery would have to do without.
 * The effects in the journal are the state.
 */
export interface Fault {
  readonly kind: string;
  /** What this host lacks for the fault, and the remedy. */
  check(host: Host): Promise<readonly Requirement[]>;
  /**
   * Turn checked input into the spec that the journal keeps: every default filled in, every name resolved.
   *
   * @throws {FaultlineError} for input that the schema cannot refuse
   */
  parse(action: string, input: JsonObject): Promise<JsonObject>;
  /**
   * Does it go on until it is recovered, whatever its targets: is something left to undo, or is it repeated? If so, a
   * schedule of it needs a duration.
   */
  lasts(action: string, spec: JsonObject): boolean;
  /** Exactly what would be touched. Changes nothing: a dry run prints it, `inject` does it. */
  plan(action: string, spec: JsonObject, context: PlanContext): Promise<Plan>;
  /**
   * Do what the plan says; every effect is journaled before it is applied. Goes on past targets that fail.
   *
   * @returns what was seen of each planned target
   * @throws when nothing more can be done; the engine then recovers what was applied
   */
  inject(plan: Plan, journal: Journal, site: Site): Promise<readonly TargetVerdict[]>;
  /**
   * Start what `inject` will need and what takes long to start, while the engine does other things. Touches no target,
   * and ends by itself if it is not asked for anything.
   */
  getReady?(plan: Plan, site: Site): void;
  /** Look at the targets as they are now; changes nothing. */
  observe(effects: readonly Effect[], site: Site): Promise<readonly TargetVerdict[]>;
  /**
   * Why what was injected is not in force any more, so that it has to be undone; undefined while all is well. Only for
   * plans that are `tended`. Asked several times a second: cheap, and changes nothing.
   */
  lapsed?(effects: readonly Effect[], site: Site): string | undefined;
  /**
   * Undo every effect that is not undone yet, the newest first. Idempotent; goes on past dead targets.
   *
   * @returns what was seen of each target; effects that could not be undone stay open in the journal
   */
  recover(effects: readonly Effect[], journal: Journal, site: Site): Promise<readonly TargetVerdict[]>;
}

export interface Requirement {
  /** `pidfd_open(2)` */
  readonly name: string;
  /** `degraded`: works, with less evidence or fewer targets. */
  readonly status: 'ok' | 'degraded' | 'missing';
  readonly detail: string;
  /** What to do about it; absent when it is ok. */
  readonly remedy?: string;
}

export interface PlanContext {
  readonly host: Host;
  readonly site: Site;
  readonly protection: Protection;
  /** 0 for the injection itself; 1, 2, … each time it is repeated. */
  readonly round: number;
  /** It is only to be shown: then it may take longer, and show more. */
  readonly preview: boolean;
}

export interface PlannedTarget extends TargetRef {
  /** What will be done to it, for people: `SIGKILL` */
  readonly does: string;
  /** What is known of it, for people and machines. */
  readonly about: JsonObject;
  /** Why it may not work, if that is known beforehand. */
  readonly doubt?: string;
  /** What others are reached by, such as a folder: limits on how many are touched do not count it. */
  readonly uncounted?: true;
}

/** A target that was matched but will not be touched, and the rule that says so. */
export interface LeftOut extends TargetRef {
  readonly rule: string;
  readonly reason: string;
  /** The flag that would let it be hit, where one may. */
  readonly override?: string;
  /** The user named this very target; leaving it out silently would not be what was asked for. */
  readonly named: boolean;
}

export interface Plan {
  readonly kind: string;
  readonly action: string;
  readonly targets: readonly PlannedTarget[];
  readonly leftOut: readonly LeftOut[];
  /** How many targets the selection matched before a mode chose among them. */
  readonly matched: number;
  /** Does something stay in force that must be undone later? */
  readonly sustained: boolean;
  /** It stays in force only while a process of its own lives: the keeper asks {@link Fault.lapsed} again and again. */
  readonly tended?: boolean;
  /** Every how many ms it is to be planned and injected again while the lease runs. */
  readonly repeatMs?: number;
  /** Sentences that tell what will happen beside the targets. */
  readonly notes: readonly string[];
  /** Lines that show what would be done in detail; only of a preview. */
  readonly listing?: readonly string[];
  /** What `inject` needs and nobody else reads. */
  readonly data: JsonObject;
}

/** Where a fault works, for processes of its own. */
export interface Site {
  /** The folder of the journal; a fault may have a folder of its own in it. */
  readonly stateDir: string;
  /** How to run this very program: its interpreter and its script. */
  readonly program: readonly string[];
  /** A process that sees files as users do, where this program does not: a service in a sandbox of its own. */
  readonly viewPid?: number;
}

/** One thing that is about to be done to the world, and what undoes it. */
export interface EffectIntent {
  /** `signal`, `recover-command`, `mount`: tells the fault how to read `apply` and `undo`. */
  readonly type: string;
  readonly target: TargetRef;
  readonly apply: JsonObject;
  /** `null`: it cannot be undone. */
  readonly undo: JsonObject | null;
  /**
   * What it keeps in its grip until it is undone, where several injections may have a grip on the same:
   * `stopped:process:4123:889233`. Whoever lets go last undoes it.
   */
  readonly hold: string | null;
}

export interface Effect extends EffectIntent {
  readonly id: number;
  readonly round: number;
  readonly status: EffectStatus;
  readonly outcome: JsonObject | null;
  /** CLOCK_BOOTTIME ms. */
  readonly intendedBootMs: number;
  readonly settledBootMs: number | null;
}

/** How an effect ended. */
export interface Settlement {
  readonly effect: Effect;
  /** `applied` after a release: undoing it failed, and may be tried again. */
  readonly status: 'applied' | 'refused' | 'undone';
  readonly outcome: JsonObject;
}

/** The fault's way to the journal. What a promise of it stands for is on the disk when it resolves. */
export interface Journal {
  /**
   * Write down what is about to happen. `build` runs with the journal's write lock held and is told which other
   * injections hold a thing now; nothing can change that before its effects are written.
   *
   * @throws {FaultlineError} INJECTION_CANCELLED when the injection was recovered or halted meanwhile;
   *   STATE_… when it cannot be written. Then nothing may be applied.
   */
  intend(
    build: (holdersOf: (hold: string) => readonly Effect[]) => readonly EffectIntent[],
  ): Promise<readonly Effect[]>;
  /**
   * Write down how effects ended. The fault need not wait for it: it is asked for at once, in the order of the calls,
   * and the engine waits for it before it concludes anything. A settlement that comes last shares the engine's commit.
   */
  settle(settlements: readonly Settlement[]): void;
  /**
   * Let go of what effects hold, before undoing them. @returns for each effect the uid of another injection that
   * still holds the same: then it is not to be undone yet, and counts as undone here.
   */
  release(effects: readonly Effect[]): Promise<ReadonlyMap<Effect, string>>;
  /**
   * The same where undoing must not go on unwritten, because doing it twice would not be harmless.
   *
   * @throws {FaultlineError} STATE_…
   */
  releaseOrThrow(effects: readonly Effect[]): Promise<void>;
  /**
   * Did the user ask for this very injection? Otherwise an undoing that was begun before and never seen to end, and
   * that is not harmless to repeat, must be left to the user.
   */
  readonly insist: boolean;
  /** Tell whoever watches how far it is. Nothing is written. */
  progress(message: string, done: number, total: number): void;
  /** Wait, and stop waiting when the injection is cancelled. */
  sleep(ms: number): Promise<void>;
  /** @throws {FaultlineError} INJECTION_CANCELLED, INTERRUPTED */
  throwIfCancelled(): void;
}

export interface TargetVerdict {
  readonly target: TargetRef;
  readonly verdict: Verdict;
  /** A phrase for people: `died of SIGKILL after 1 ms`. */
  readonly seen: string;
  readonly evidence: JsonObject;
}
