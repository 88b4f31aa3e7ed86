import { type Limiter, limiter } from '../../base/concurrency.ts';
import { delayUnless } from '../../base/delay.ts';
import { bootTimeMs } from '../../linux/clock.ts';
import { activeSchedules, type Moment, type ScheduleRecord } from '../../store/schedules.ts';
import type { EngineContext } from '../context.ts';
import { type Expression, readExpression } from './expression.ts';
import { momentNow } from './schedule.ts';
import { carryOutRun, decideTick, isService, moveSchedule, settleLost } from './tick.ts';
import { correctedDue, correctionMs, dueTick, quietMs, wallClockJumpMs } from './timetable.ts';

/*
 * What the service does with schedules: look at the clocks and the journal several times a second, and begin what is
 * due. It looks that often because the wall clock may be set and the machine suspended, of which no timer tells, and
 * because other processes add and end schedules.
 */

/** How long nobody looks at most, in milliseconds: how late the setting of a clock and a new schedule are seen. */
const pollMs = 250;

/** How many runs are injected at a time; what each then waits for is a lease, not us. */
const atOnce = 8;

/** How long a schedule is left alone that could not be attended to, because of a full disk for example. */
const troubleMs = 10_000;

export interface ScheduleRunnerOptions {
  /** Is told of what keeps schedules from being attended to: bugs, and a journal that cannot be used. */
  readonly onError: (error: unknown) => void;
}

export interface ScheduleRunner {
  /** Begin nothing more, and wait until the runs are injected that are just under way. */
  stop(): Promise<void>;
}

/** What is remembered between two looks. All that matters after the end of this process is in the journal. */
interface Desk {
  readonly context: EngineContext;
  readonly onError: (error: unknown) => void;
  readonly inTurn: Limiter;
  /** What is written for a schedule just now, by its uid: one thing at a time. */
  readonly writing: Map<string, Promise<void>>;
  /** Runs that are being injected, by their uids. */
  readonly running: Map<string, Promise<void>>;
  readonly expressions: Map<string, Promise<Expression>>;
  /** Schedules whose last tick was skipped: of the next ones in a row nobody needs to be told. */
  readonly skipping: Set<string>;
  readonly notBeforeBootMs: Map<string, number>;
}

/** What the clocks say at one look. */
interface Look {
  readonly now: Moment;
  /** When the wall clock was last seen to be set back far, in CLOCK_BOOTTIME ms. */
  readonly setBackBootMs: number;
}

function lookAgain(context: EngineContext, { now: before, setBackBootMs }: Look): Look {
  const now = momentNow(context);
  const setBack = wallClockJumpMs(before, now) <= -correctionMs;
  return { now, setBackBootMs: setBack ? now.bootMs : setBackBootMs };
}

/** Leave a schedule alone for a while that cannot be attended to. */
function trouble(desk: Desk, uid: string, error: unknown): void {
  desk.notBeforeBootMs.set(uid, bootTimeMs() + troubleMs);
  desk.onError(error);
}

function start(desk: Desk, works: Map<string, Promise<void>>, key: string, uid: string, work: Promise<void>): void {
  const done = work
    .catch((error: unknown) => {
      trouble(desk, uid, error);
    })
    .catch(() => undefined) // not even telling it must end the schedules
    .finally(() => {
      works.delete(key);
    });
  works.set(key, done);
}

async function tick(desk: Desk, schedule: ScheduleRecord, due: Moment): Promise<void> {
  const { context, skipping, running } = desk;
  const { uid } = schedule;
  const decided = await decideTick(context, schedule, due, skipping.has(uid));
  if (decided === undefined) return;
  if ('skipped' in decided) {
    skipping.add(uid);
    return;
  }
  skipping.delete(uid);
  const { run } = decided;
  const work = desk.inTurn(() => carryOutRun(context, schedule, run));
  start(desk, running, run, uid, work);
}

/** What is to be written for one schedule now, if anything. */
function nextWork(desk: Desk, schedule: ScheduleRecord, expression: Expression, look: Look): Promise<void> | undefined {
  const { context, running } = desk;
  const { underWay, lastDue } = schedule;
  const corrected = correctedDue(expression, lastDue, look.now, look.setBackBootMs);
  if (corrected !== undefined) return moveSchedule(context, schedule, corrected);
  if (underWay !== null && !running.has(underWay)) return settleLost(context, schedule, underWay);
  const due = dueTick(expression, lastDue, look.now);
  return due === undefined ? undefined : tick(desk, schedule, due);
}

function expressionOf({ expressions }: Desk, text: string): Promise<Expression> {
  const known = expressions.get(text);
  if (known !== undefined) return known;
  const reading = readExpression(text);
  expressions.set(text, reading);
  return reading;
}

/** Begin what is due for one schedule. @returns how long it needs no other look, in ms */
async function attend(desk: Desk, schedule: ScheduleRecord, look: Look): Promise<number> {
  const { uid } = schedule;
  if (desk.writing.has(uid) || (desk.notBeforeBootMs.get(uid) ?? 0) > bootTimeMs()) return pollMs;
  try {
    const expression = await expressionOf(desk, schedule.expression);
    const work = nextWork(desk, schedule, expression, look);
    if (work !== undefined) start(desk, desk.writing, uid, uid, work);
    return quietMs(expression, schedule.lastDue, look.now);
  } catch (error) {
    trouble(desk, uid, error);
    return pollMs;
  }
}

/** Schedules come and go, the service stays: let go of what is remembered of those that have ended. */
function forget(desk: Desk, active: readonly ScheduleRecord[]): void {
  const uids = new Set(active.map(({ uid }) => uid));
  for (const uid of desk.skipping) if (!uids.has(uid)) desk.skipping.delete(uid);
  for (const uid of desk.notBeforeBootMs.keys()) if (!uids.has(uid)) desk.notBeforeBootMs.delete(uid);
  if (desk.expressions.size > 2 * active.length + 16) desk.expressions.clear();
}

/** One look at everything. @returns how long to wait for the next, in ms */
async function attendAll(desk: Desk, look: Look): Promise<number> {
  try {
    const active = activeSchedules(desk.context.store);
    const quiet: number[] = [];
    for (const schedule of active) quiet.push(await attend(desk, schedule, look));
    forget(desk, active);
    return Math.min(pollMs, ...quiet);
  } catch (error) {
    desk.onError(error); // the journal cannot be read
    return troubleMs;
  }
}

async function lookOn(desk: Desk, stopped: AbortSignal): Promise<void> {
  let look: Look = { now: momentNow(desk.context), setBackBootMs: Number.NEGATIVE_INFINITY };
  while (!stopped.aborted) {
    look = lookAgain(desk.context, look);
    await delayUnless(stopped, await attendAll(desk, look));
  }
}

/**
 * Carry out the schedules of this state folder until it is stopped. Only its service does so.
 *
 * Runs go on after the end of this process as any injection does: their leases have a keeper.
 */
export function runSchedules(context: EngineContext, { onError }: ScheduleRunnerOptions): ScheduleRunner {
  if (!isService(context)) throw new Error('only the service of a state folder carries out its schedules');
  const desk: Desk = {
    context,
    onError,
    inTurn: limiter(atOnce),
    writing: new Map(),
    running: new Map(),
    expressions: new Map(),
    skipping: new Set(),
    notBeforeBootMs: new Map(),
  };
  const stopping = new AbortController();
  const looking = lookOn(desk, stopping.signal);
  return Object.freeze({
    stop: async () => {
      stopping.abort();
      await looking;
      await Promise.all(desk.writing.values());
      await Promise.all(desk.running.values());
    },
  });
}
