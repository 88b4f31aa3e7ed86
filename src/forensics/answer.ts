import type { JsonObject } from '../base/json.ts';

/*
 * What every question after a death is answered with: plain data, the same for a screen and for a program.
 */

/** How sure a cause is, the surest first. `certain` is for what was seen, not for what is usual. */
export type Likelihood = 'certain' | 'likely' | 'possible' | 'unlikely';

const order: readonly Likelihood[] = ['certain', 'likely', 'possible', 'unlikely'];

/** One thing that may have ended a process. Texts may hold what strangers wrote: print them with `printable`. */
export interface Cause {
  /** For programs, in kebab case: `oom-killer`. */
  readonly id: string;
  readonly likelihood: Likelihood;
  /** A phrase: `SIGTERM sent by another process`. */
  readonly title: string;
  /** When it happened, in wall-clock ms since 1970, where that is known. */
  readonly at?: number;
  /** What speaks for it or against it, a sentence each. */
  readonly evidence: readonly string[];
  /** What would settle it, or what to do next; the first is the best. */
  readonly next: readonly string[];
}

/** Figures behind an answer, for a screen; programs find them in its facts. */
export interface AnswerTable {
  readonly title: string;
  readonly columns: readonly string[];
  readonly rows: readonly (readonly string[])[];
}

export interface Answer {
  /** What was asked, as given: `137`. */
  readonly question: string;
  /** The answer in a line. */
  readonly summary: string;
  /** The surest first. */
  readonly causes: readonly Cause[];
  /** What else is worth knowing, a sentence each. */
  readonly notes: readonly string[];
  readonly tables?: readonly AnswerTable[];
  /** The facts behind it, for programs. */
  readonly facts: JsonObject;
}

/** What happened last stands first; what tells no time, after it. */
export function newestFirst(causes: readonly Cause[]): readonly Cause[] {
  return causes.toSorted((a, b) => (a.at === b.at ? 0 : (b.at ?? 0) - (a.at ?? 0)));
}

/** The surest first; among equals in the order given. */
function ranked(causes: readonly Cause[]): readonly Cause[] {
  return causes.toSorted((a, b) => order.indexOf(a.likelihood) - order.indexOf(b.likelihood));
}

/** An answer with its causes ranked. */
export function answer(parts: Answer): Answer {
  return Object.freeze({ ...parts, causes: Object.freeze([...ranked(parts.causes)]) });
}
