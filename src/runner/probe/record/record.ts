import type { Json } from '../../../base/json.ts';
import { measures } from '../../measures.ts';
import type { ProbeSource } from '../../experiment.ts';
import type { Outcome } from '../outcome.ts';
import { Attempts, slotMs, type Summary } from './attempts.ts';
import { type Look, Looks } from './looks.ts';

/** Reasons for failure that are told apart; a reason may have a text of the target's in it. */
const mostReasons = 40;

type OfAttempts = (summary: Summary, seconds: number) => number;

/** Measures over attempts. */
const ofAttempts: Readonly<Record<string, OfAttempts>> = {
  success: ({ total, failed }) => (100 * (total - failed)) / total,
  failures: ({ failed }) => failed,
  p50: (summary) => summary.quantileMs(0.5),
  p95: (summary) => summary.quantileMs(0.95),
  p99: (summary) => summary.quantileMs(0.99),
  max: ({ maxMs }) => maxMs,
  rate: ({ total, failed }, seconds) => (total - failed) / seconds,
};

/** All that a probe has told. */
export class ProbeRecord {
  /** The moment before which nothing changes any more. */
  settledMs: number;
  private readonly kind: ProbeSource['kind'];
  private readonly attempts = new Attempts();
  private readonly looks = new Map<string, Looks>();
  private readonly reasons = new Map<string, number>();

  constructor(kind: ProbeSource['kind'], startMs: number) {
    this.kind = kind;
    this.settledMs = startMs;
  }

  add({ dueMs, settledMs, tookMs, failure, values }: Outcome): void {
    if (tookMs !== undefined) this.attempts.add(dueMs, tookMs, failure !== undefined);
    if (failure !== undefined) this.count(failure);
    for (const [measure, value] of Object.entries(values ?? {})) this.looksOf(measure).add(dueMs, value);
    this.settledMs = Math.max(this.settledMs, settledMs);
    this.attempts.settle(this.settledMs);
  }

  /** As `RunningProbe.measure`. */
  measure(measure: string, fromMs: number, toMs: number): readonly Look[] {
    const known = measures[this.kind][measure];
    if (known === undefined) throw new Error(`a probe of the kind ${this.kind} has no measure ${measure}`);
    if (known.over === 'look') return this.looksOf(measure).between(fromMs, toMs);
    const value = this.kind === 'log' ? this.ofLines(measure, fromMs, toMs) : this.ofAttempts(measure, fromMs, toMs);
    return value === undefined ? [] : [{ atMs: toMs, value }];
  }

  failures(): Readonly<Record<string, number>> {
    return Object.fromEntries([...this.reasons].sort(([, a], [, b]) => b - a));
  }

  private count(failure: string): void {
    const reason = this.reasons.has(failure) || this.reasons.size < mostReasons ? failure : 'other reasons';
    this.reasons.set(reason, (this.reasons.get(reason) ?? 0) + 1);
  }

  private looksOf(measure: string): Looks {
    const known = this.looks.get(measure);
    if (known !== undefined) return known;
    const looks = new Looks(measures[this.kind][measure]?.over === 'sum');
    this.looks.set(measure, looks);
    return looks;
  }

  private ofAttempts(measure: string, fromMs: number, toMs: number): number | undefined {
    const summary = this.attempts.summary(fromMs, toMs);
    return summary.total === 0 ? undefined : ofAttempts[measure]?.(summary, Math.max(toMs - fromMs, slotMs) / 1000);
  }

  private ofLines(measure: string, fromMs: number, toMs: number): number | undefined {
    const looks = this.looksOf('lines').between(fromMs, toMs);
    const lines = looks.reduce((sum, { value }) => sum + numberOf(value), 0);
    if (looks.length === 0) return undefined;
    return measure === 'rate' ? lines / (Math.max(toMs - fromMs, slotMs) / 1000) : lines;
  }
}

function numberOf(value: Json): number {
  return typeof value === 'number' ? value : 0;
}
