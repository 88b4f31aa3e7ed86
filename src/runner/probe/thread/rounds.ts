import type { Json } from '../../../base/json.ts';
import type { Outcome } from '../outcome.ts';

/** What came of an attempt, as its kind of probe tells it. */
export interface Result {
  readonly failure?: string;
  readonly values?: Readonly<Record<string, Json>>;
}

/**
 * Begins an attempt. `finish` is called when it is over; what is said after that is not heard.
 *
 * @param dueMs for kinds that must know the moment
 * @returns ends the attempt early: its time is over, or the run is
 */
export type Begin = (finish: (result: Result) => void, dueMs: number) => () => void;

export interface Plan {
  readonly everyMs: number;
  /** An attempt that takes longer has failed; Infinity: it may take as long as it likes. */
  readonly timeoutMs: number;
  /** Attempts under way at the same time. */
  readonly most: number;
  /** When so many are under way: `wait`, and count the waiting; or leave the attempt out. */
  readonly whenBusy: 'wait' | 'skip';
  /** Attempts have a duration, which is what is measured. */
  readonly timed: boolean;
  /** What to tell of an attempt whose time is over, beside that. */
  readonly onTimeout?: Readonly<Record<string, Json>>;
}

interface Round {
  readonly dueMs: number;
  /** From when its time is counted. */
  readonly fromMs: number;
  /** When its time is over. */
  untilMs: number;
  abort: (() => void) | undefined;
}

/** A wake-up that is so late, in ms, is this thread's doing, or that of a machine which stood still. */
const heldUpMs = 250;

/** An attempt may begin this much early, in ms, rather than a whole tick late. */
const earlyMs = 0.25;

/**
 * Attempts at a fixed rate, whether or not those before are over: an open loop, so that a target that stalls is not
 * asked less for it (coordinated omission).
 *
 * Each is measured from its turn, which no target delays: what waits for those before to be over has waited since
 * then. Only a machine that has no time for this thread makes the turn come late, which is not the target's.
 */
export class Rounds {
  private readonly plan: Plan;
  private readonly clock: () => number;
  private readonly begin: Begin;
  private readonly report: (outcome: Outcome) => void;
  /** All that are not over, by the moment at which they were due. */
  private readonly rounds = new Set<Round>();
  private readonly waiting = new Set<Round>();
  private timer: NodeJS.Timeout | undefined;
  private soon: NodeJS.Immediate | undefined;
  private underWay = 0;
  private stopped = false;
  private readonly startMs: number;
  /** Of those since the start, the next. */
  private next = 0;
  /** When the next look is due. */
  private wakeMs = Infinity;

  constructor(plan: Plan, clock: () => number, begin: Begin, report: (outcome: Outcome) => void) {
    this.plan = plan;
    this.clock = clock;
    this.begin = begin;
    this.report = report;
    this.startMs = clock();
    this.tick();
  }

  /** Ends what is under way, without a word about it. */
  stop(): void {
    this.stopped = true;
    clearTimeout(this.timer);
    clearImmediate(this.soon);
    for (const { abort } of this.rounds) abort?.();
    this.rounds.clear();
    this.waiting.clear();
  }

  private get dueMs(): number {
    return this.startMs + this.next * this.plan.everyMs;
  }

  /**
   * Timers come before what was received in a turn of the event loop: while this thread was held up an answer may have
   * come in time, and is read before its time is said to be over. Whoever is to answer may have been held up as well:
   * the time that was lost is not his.
   */
  private tick(): void {
    const nowMs = this.clock();
    const lostMs = nowMs - this.wakeMs;
    if (lostMs >= heldUpMs) for (const round of this.rounds) round.untilMs += lostMs;
    const [oldest] = this.rounds;
    const isExpired = oldest !== undefined && oldest.untilMs <= nowMs;
    if (isExpired) this.soon = setImmediate(() => this.turn(nowMs));
    else this.turn(nowMs);
  }

  private turn(nowMs: number): void {
    this.expire(nowMs);
    this.skipSlept(nowMs);
    while (this.dueMs <= nowMs + earlyMs) this.add();
    const [oldest] = this.rounds;
    this.wakeMs = Math.min(this.dueMs, oldest?.untilMs ?? Infinity);
    this.timer = setTimeout(() => this.tick(), Math.max(1, Math.round(this.wakeMs - this.clock())));
  }

  /** What was due while this host slept, or had no time for us for as long as an attempt may take, is nobody's. */
  private skipSlept(nowMs: number): void {
    const sleptMs = nowMs - this.dueMs - Math.max(Math.min(this.plan.timeoutMs, 60_000), this.plan.everyMs);
    if (sleptMs > 0) this.next += Math.ceil(sleptMs / this.plan.everyMs);
  }

  private add(): void {
    const dueMs = this.dueMs;
    this.next++;
    const isBusy = this.underWay >= this.plan.most;
    if (isBusy && this.plan.whenBusy === 'skip') return;
    const fromMs = this.clock();
    const round: Round = { dueMs, fromMs, untilMs: fromMs + this.plan.timeoutMs, abort: undefined };
    this.rounds.add(round);
    if (isBusy) this.waiting.add(round);
    else this.start(round);
  }

  private start(round: Round): void {
    this.underWay++;
    let isOver = false;
    const abort = this.begin((result) => {
      if (isOver) return;
      isOver = true;
      this.underWay--;
      this.finish(round, result);
      this.startWaiting();
    }, round.dueMs);
    round.abort = () => {
      if (!isOver) {
        isOver = true;
        this.underWay--;
      }
      abort();
    };
  }

  private startWaiting(): void {
    const [round] = this.waiting;
    if (round === undefined || this.stopped || this.underWay >= this.plan.most) return;
    this.waiting.delete(round);
    this.start(round);
  }

  private finish(round: Round, { failure, values }: Result): void {
    if (!this.rounds.delete(round)) return;
    const [oldest] = this.rounds;
    const settledMs = Math.min(oldest?.dueMs ?? Infinity, this.dueMs);
    this.report({
      dueMs: round.dueMs,
      settledMs,
      ...(this.plan.timed ? { tookMs: Math.max(this.clock() - round.fromMs, 0) } : {}),
      ...(failure === undefined ? {} : { failure }),
      ...(values === undefined ? {} : { values }),
    });
  }

  private expire(nowMs: number): void {
    for (const round of this.rounds) {
      if (round.untilMs > nowMs) break;
      this.waiting.delete(round);
      round.abort?.();
      const { onTimeout } = this.plan;
      this.finish(round, { failure: 'timeout', ...(onTimeout === undefined ? {} : { values: onTimeout }) });
    }
    while (this.waiting.size > 0 && this.underWay < this.plan.most && !this.stopped) this.startWaiting();
  }
}
