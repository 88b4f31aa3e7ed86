import type { JsonObject } from '../base/json.ts';
import type { Tolerance } from './tolerance.ts';

/*
 * What an experiment is, once its file has been read: every default filled in, every unit resolved. Plain data, frozen.
 * `docs/experiments.md` describes the file.
 */

/** The file that an experiment was read from. */
export interface ExperimentFile {
  /** As the user named it; `-` for standard input. */
  readonly name: string;
  readonly text: string;
  /** Of its text, in hexadecimal: tells whether two runs were of the same experiment. */
  readonly sha256: string;
}

/** From a suspicion to something that holds or deviates. */
export interface Experiment {
  readonly file: ExperimentFile;
  /** `kill-under-get`: letters, digits, `-` and `_` */
  readonly name: string;
  readonly description: string | undefined;
  /** What is believed to hold while the method goes on, in a sentence. */
  readonly hypothesis: string;
  readonly steadyState: SteadyState;
  readonly method: readonly Step[];
  readonly blastRadius: BlastRadius;
  readonly abort: readonly AbortCondition[];
  /** Commands of the user's own after the method, whatever became of it. Injections are always undone before. */
  readonly rollbacks: readonly CommandAction[];
}

export interface SteadyState {
  readonly probes: readonly Probe[];
  /** How long it is measured before anything is injected. */
  readonly beforeMs: number;
  /** How long it is measured after the rollbacks. */
  readonly afterMs: number;
  /** How long the system may take after the rollbacks to be steady again. */
  readonly recoveryMs: number;
}

/** What a measure of a probe must be: `p99`, at most 250 ms. */
export interface Expectation {
  /** One of the measures of the probe's kind, as `measures.ts` lists them. */
  readonly measure: string;
  readonly tolerance: Tolerance;
}

/** Something that is measured from the start to the end of a run. */
export interface Probe {
  /** `answers` */
  readonly name: string;
  readonly source: ProbeSource;
  /** Before the method and after the rollbacks. */
  readonly expect: readonly Expectation[];
  /** While the method goes on; the same unless the file says otherwise. */
  readonly during: readonly Expectation[];
  /**
   * Over how long a measure is taken and judged, again and again, in ms; undefined: over a whole phase at its end, but
   * for measures of a single look (`exitCode`), of which each counts.
   */
  readonly windowMs: number | undefined;
}

/** Where a probe gets its numbers from. */
export type ProbeSource =
  | HttpSource
  | TcpSource
  | CommandSource
  | ProcessSource
  | LogSource
  | PrometheusSource
  | FileSource;

/** Requests at a fixed rate, whether or not the answers come: an open loop, so that a stall cannot hide itself. */
export interface HttpSource {
  readonly kind: 'http';
  readonly url: string;
  readonly method: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string | undefined;
  /** Requests a second. */
  readonly rate: number;
  /** An answer that takes longer counts as none. */
  readonly timeoutMs: number;
  /** Statuses that count as success: `[200, 299]` is the range with both ends. */
  readonly success: readonly (readonly [number, number])[];
}

export interface TcpSource {
  readonly kind: 'tcp';
  readonly host: string;
  readonly port: number;
  readonly everyMs: number;
  readonly timeoutMs: number;
}

/** A program, run again and again; an argument list, never a line for a shell. */
export interface CommandSource {
  readonly kind: 'command';
  readonly argv: readonly string[];
  readonly everyMs: number;
  readonly timeoutMs: number;
}

/** How many processes of a name there are. */
export interface ProcessSource {
  readonly kind: 'process';
  /** A name or a PID, as `--process` takes it. */
  readonly process: string;
  readonly everyMs: number;
}

/** Lines that are appended to a file. */
export interface LogSource {
  readonly kind: 'log';
  readonly path: string;
  /** Of JavaScript, with the flag `u`. */
  readonly pattern: string;
  readonly everyMs: number;
}

export interface PrometheusSource {
  readonly kind: 'prometheus';
  /** Of the server: `http://127.0.0.1:9090` */
  readonly url: string;
  readonly query: string;
  readonly everyMs: number;
  readonly timeoutMs: number;
}

export interface FileSource {
  readonly kind: 'file';
  readonly path: string;
  readonly everyMs: number;
}

export interface CommandAction {
  readonly argv: readonly string[];
  readonly timeoutMs: number;
}

/** What is done, in order. `path` says where it stands in the file: `method[2].parallel[0]` */
export type Step =
  | {
      readonly kind: 'attack';
      readonly path: string;
      /** How it is called in `recover` and in reports; unique. */
      readonly name: string;
      /** `process` */
      readonly fault: string;
      /** `kill` */
      readonly action: string;
      /** The options of that action and of every injection, as in the body of the HTTP API. */
      readonly options: JsonObject;
    }
  /** Undo an attack of an earlier step before the end. */
  | { readonly kind: 'recover'; readonly path: string; readonly attack: string }
  | { readonly kind: 'wait'; readonly path: string; readonly ms: number }
  /**
   * Over what was measured since the method began, or since the last assertion of the same branch; measures of single
   * looks at the next one.
   */
  | {
      readonly kind: 'assert';
      readonly path: string;
      readonly probe: string;
      readonly expect: readonly Expectation[];
    }
  | { readonly kind: 'run'; readonly path: string; readonly command: CommandAction }
  /** Branches that go on at the same time; over when all of them are. */
  | { readonly kind: 'parallel'; readonly path: string; readonly branches: readonly (readonly Step[])[] };

/** What the method may touch at most. What would go beyond is refused before it happens. */
export interface BlastRadius {
  /** Targets of all attacks together. */
  readonly targets: number;
  /** Of what a selection matches, in percent, for each attack. */
  readonly percent: number | undefined;
  /** Of the whole method; when it is over, the run is aborted. */
  readonly durationMs: number;
  /** Names of processes that may be hit; undefined: any. */
  readonly processes: readonly string[] | undefined;
}

/** What ends a run at once while it goes on. */
export interface AbortCondition {
  readonly probe: string;
  /** Aborts when the measure, over the last `forMs`, is outside of this. */
  readonly unless: Expectation;
  readonly forMs: number;
}
