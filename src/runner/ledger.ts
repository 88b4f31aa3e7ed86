import type { RunClock } from './probe/probe.ts';
import type { RunEvent } from './events.ts';
import type {
  Deviation,
  JournalEntryDocument,
  PhaseName,
  RollbackDocument,
  RunDeathDocument,
  RunInjectionDocument,
  RunVerdict,
  StepDocument,
} from './result.ts';

/** What decided a run, and why in a sentence. */
export interface Decision {
  readonly verdict: RunVerdict;
  readonly reason: string;
}

/** A step that goes on. */
export interface OpenStep {
  end(outcome: StepDocument['outcome'], detail?: string | null): void;
}

/** What is known of a run so far, in the order in which it happened. Its parts become the document. */
export interface Ledger {
  readonly clock: RunClock;
  note(text: string, level?: JournalEntryDocument['level']): void;
  /** End the phase that goes on, if any, and begin this one. @returns when */
  beginPhase(name: PhaseName): number;
  /** @returns when */
  endPhase(): number;
  phase(): PhaseName;
  beginStep(path: string, text: string): OpenStep;
  skipStep(path: string, text: string): void;
  /** The steps that go on. */
  atWork(): readonly string[];
  deviate(deviation: Deviation): void;
  /** Put an injection in its place, or in that of what was known of it before. */
  putInjection(injection: RunInjectionDocument): void;
  /** It was refused, and never was. */
  dropInjection(uid: string): void;
  addDeath(death: RunDeathDocument): void;
  addRollback(rollback: RollbackDocument): void;
  /** The gravest verdict counts, and of those the first. */
  decide(verdict: RunVerdict, reason: string): void;
  decision(): Decision | undefined;
  parts(): LedgerParts;
}

export interface LedgerParts {
  readonly deviations: readonly Deviation[];
  readonly phases: readonly { readonly name: PhaseName; readonly fromMs: number; readonly toMs: number }[];
  readonly steps: readonly StepDocument[];
  readonly injections: readonly RunInjectionDocument[];
  readonly deaths: readonly RunDeathDocument[];
  readonly rollbacks: readonly RollbackDocument[];
  readonly journal: readonly JournalEntryDocument[];
}

/** A method that flaps, or a target that dies again and again, must not fill the memory nor the report. */
const most = 500;

const gravity: Readonly<Record<RunVerdict, number>> = { held: 0, deviated: 1, aborted: 2, error: 3 };

/** A list that takes no more than {@link most}. */
function bounded<Item>() {
  const items: Item[] = [];
  return {
    items,
    add: (item: Item): boolean => {
      if (items.length >= most) return false;
      items.push(item);
      return true;
    },
  };
}

function phasesOn(clock: RunClock) {
  const phases: { name: PhaseName; fromMs: number; toMs: number | undefined }[] = [];
  const endPhase = (): number => {
    const last = phases.at(-1);
    if (last === undefined) return 0;
    last.toMs ??= clock();
    return last.toMs;
  };
  return {
    beginPhase: (name: PhaseName): number => {
      const fromMs = phases.length === 0 ? 0 : endPhase();
      phases.push({ name, fromMs, toMs: undefined });
      return fromMs;
    },
    endPhase,
    phase: (): PhaseName => phases.at(-1)?.name ?? 'before',
    phases: () => phases.map(({ name, fromMs, toMs = clock() }) => ({ name, fromMs, toMs })),
  };
}

function stepsOn(clock: RunClock) {
  const steps = bounded<StepDocument>();
  const open = new Map<number, string>();
  return {
    beginStep: (path: string, text: string): OpenStep => {
      const fromMs = clock();
      // As long as it goes on it is one that its runner's death would interrupt.
      const known = steps.add({ path, text, fromMs, toMs: null, outcome: 'interrupted', detail: null });
      const index = known ? steps.items.length - 1 : -1;
      open.set(index, text);
      return {
        end: (outcome, detail = null) => {
          open.delete(index);
          if (known) steps.items[index] = { path, text, fromMs, toMs: clock(), outcome, detail };
        },
      };
    },
    skipStep: (path: string, text: string): void => {
      steps.add({ path, text, fromMs: clock(), toMs: null, outcome: 'skipped', detail: null });
    },
    atWork: () => [...open.values()],
    steps: () => [...steps.items],
  };
}

/** @param observe hears of each line and phase as it is written */
export function openLedger(clock: RunClock, observe: (event: RunEvent) => void): Ledger {
  const journal = bounded<JournalEntryDocument>();
  const deviations = bounded<Deviation>();
  const deaths = bounded<RunDeathDocument>();
  const injections = new Map<string, RunInjectionDocument>();
  const rollbacks: RollbackDocument[] = [];
  const { phases, beginPhase, ...phasing } = phasesOn(clock);
  const { steps, ...stepping } = stepsOn(clock);
  let decision: Decision | undefined;
  return Object.freeze<Ledger>({
    clock,
    note: (text, level = 'info') => {
      const entry = { atMs: clock(), text, level };
      if (journal.add(entry)) observe({ kind: 'entry', entry });
    },
    ...phasing,
    ...stepping,
    beginPhase: (phase) => {
      const atMs = beginPhase(phase);
      observe({ kind: 'phase', phase, atMs });
      return atMs;
    },
    deviate: (deviation) => {
      deviations.add(deviation);
    },
    putInjection: (injection) => {
      injections.set(injection.uid, injection);
    },
    dropInjection: (uid) => {
      injections.delete(uid);
    },
    addDeath: (death) => {
      deaths.add(death);
    },
    addRollback: (rollback) => {
      rollbacks.push(rollback);
    },
    decide: (verdict, reason) => {
      if (decision === undefined || gravity[verdict] > gravity[decision.verdict]) decision = { verdict, reason };
    },
    decision: () => decision,
    parts: () => ({
      deviations: [...deviations.items],
      phases: phases(),
      steps: steps(),
      injections: [...injections.values()],
      deaths: deaths.items.toSorted((a, b) => a.atMs - b.atMs),
      rollbacks: [...rollbacks],
      journal: [...journal.items],
    }),
  });
}
