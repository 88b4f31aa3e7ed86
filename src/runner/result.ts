import type { JsonObject } from '../base/json.ts';

/*
 * What became of a run: the document that `-o json` prints, that the journal keeps, and of which reports are made.
 * Plain data that survives JSON. Times `…Ms` are milliseconds since the run began, on a clock that nobody sets.
 */

/** `held` 0, `deviated` 1, `aborted` 2, `error` 3: the exit code of `faultline run`. */
export type RunVerdict = 'held' | 'deviated' | 'aborted' | 'error';

/** Parts of a run, in order. Nothing is injected in `before`; all is undone at the end of `method`. */
export type PhaseName = 'before' | 'method' | 'rollback' | 'after';

export interface RunDocument {
  readonly uid: string;
  readonly experiment: {
    readonly name: string;
    readonly description: string | null;
    readonly hypothesis: string;
    readonly file: string;
    readonly sha256: string;
    /** The whole file: who has the report can run it again. */
    readonly text: string;
  };
  readonly host: {
    readonly name: string;
    readonly kernel: string;
    readonly cpus: number;
    readonly faultline: string;
    /** Who ran it, by name or uid. */
    readonly user: string;
  };
  /** ISO 8601. */
  readonly startedAt: string;
  /** null: it goes on, or its runner was killed and nobody has looked since. */
  readonly endedAt: string | null;
  readonly durationMs: number;
  /** null: it goes on. */
  readonly verdict: RunVerdict | null;
  /** Why, in a sentence: `answers: p99 was 2.1 s, at most 250 ms expected, over the whole method (stop one server)` */
  readonly reason: string;
  /** What was outside of its tolerance, in the order in which it was seen; the first one decided. */
  readonly deviations: readonly Deviation[];
  readonly phases: readonly { readonly name: PhaseName; readonly fromMs: number; readonly toMs: number }[];
  readonly probes: readonly ProbeDocument[];
  readonly steps: readonly StepDocument[];
  readonly injections: readonly RunInjectionDocument[];
  readonly deaths: readonly RunDeathDocument[];
  readonly blastRadius: {
    readonly planned: { readonly targets: number; readonly percent: number | null; readonly durationMs: number };
    readonly actual: { readonly targets: number; readonly percent: number | null; readonly durationMs: number };
  };
  readonly rollbacks: readonly RollbackDocument[];
  readonly journal: readonly JournalEntryDocument[];
}

export interface Deviation {
  readonly probe: string;
  readonly measure: string;
  /** `at most 250 ms` */
  readonly expected: string;
  /** `2.1 s` */
  readonly actual: string;
  readonly phase: PhaseName;
  readonly atMs: number;
}

export interface ProbeDocument {
  readonly name: string;
  /** `http`, `process`, … */
  readonly kind: string;
  /** What it looks at: `GET http://127.0.0.1:8080/fizzbuzz?n=15, 100 a second` */
  readonly target: string;
  readonly judgements: readonly {
    readonly phase: PhaseName;
    readonly measure: string;
    readonly expected: string;
    readonly actual: string;
    readonly held: boolean;
  }[];
  /** The curves to draw, at most two: of http latency and success. */
  readonly series: readonly Series[];
  /** What went wrong how often, the most frequent first: `{"connection refused": 12}` */
  readonly failures: Readonly<Record<string, number>>;
}

/** What is good, for the band behind a curve; in its unit. */
export interface Limits {
  readonly atLeast: number | null;
  readonly atMost: number | null;
}

export interface Series extends Limits {
  /** `p99` */
  readonly measure: string;
  /** `ms`, `%`, `bytes`, or nothing */
  readonly unit: string;
  /** What is good while the method goes on, where that is something else. */
  readonly during?: Limits;
  /** `[atMs, value]`; null: nothing could be measured then. At most 600: a longer run is thinned, keeping extremes. */
  readonly points: readonly (readonly [number, number | null])[];
}

export interface StepDocument {
  /** `method[1]` */
  readonly path: string;
  /** `attack process kill: kill-one` */
  readonly text: string;
  readonly fromMs: number;
  readonly toMs: number | null;
  readonly outcome: 'done' | 'failed' | 'skipped' | 'interrupted';
  readonly detail: string | null;
}

export interface RunInjectionDocument {
  readonly uid: string;
  /** The step's name. */
  readonly name: string;
  readonly fault: string;
  readonly action: string;
  /** How a person would do it by hand. */
  readonly command: string;
  readonly fromMs: number;
  /** When it was undone, or had ended by itself; null: it cannot be undone, as a kill. */
  readonly toMs: number | null;
  readonly targets: readonly {
    readonly label: string;
    readonly verdict: string;
    readonly seen: string;
    readonly evidence: JsonObject;
  }[];
  /** Of all selected, how many were hit, in percent; null where a fault does not select among many. */
  readonly percent: number | null;
  /** `recovered`, `unrecoverable`, …: its state at the end. */
  readonly state: string;
}

export interface RunDeathDocument {
  readonly atMs: number;
  readonly pid: number;
  readonly name: string;
  /** `SIGKILL`, `exit code 3`, `OOM killer` */
  readonly cause: string;
  /** uid of the injection that ended it. */
  readonly injection: string | null;
  /** The whole story, as `faultline why` tells it: `SIGKILL, by us, injection …` */
  readonly sentence: string;
}

export interface RollbackDocument {
  /** `recover kill-one`, or the command. */
  readonly text: string;
  readonly fromMs: number;
  readonly toMs: number;
  readonly succeeded: boolean;
  readonly detail: string | null;
}

export interface JournalEntryDocument {
  readonly atMs: number;
  readonly text: string;
  readonly level: 'info' | 'good' | 'bad';
}
