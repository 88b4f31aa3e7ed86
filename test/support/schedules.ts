import path from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { afterEach, expect } from 'vitest';
import { type JsonObject, textOf } from '../../src/base/json.ts';
import { type Engine, openEngine } from '../../src/experiment/engine.ts';
import type { Injection } from '../../src/experiment/injection.ts';
import type { Observer } from '../../src/experiment/events.ts';
import { parseSchedule } from '../../src/experiment/schedule/request.ts';
import type { ScheduleRecord } from '../../src/store/schedules.ts';
import { object, text } from '../../src/store/columns.ts';
import { openStore } from '../../src/store/store.ts';

/** Runs the built program. */
export const program: readonly string[] = [
  process.execPath,
  path.resolve(import.meta.dirname, '../../dist/faultline.js'),
];

/** A service of schedules alone, in this process. */
export interface ScheduleService {
  readonly engine: Engine;
  /** What stood in the way of schedules: nothing, in a test that passes. */
  readonly errors: readonly unknown[];
  /** As on SIGTERM: what is live stays live. */
  stop(): Promise<void>;
}

const services = new Set<ScheduleService>();

/** Open the engine and be the service of the state folder. It is ended after the test, and nothing is left live. */
export async function scheduleService(stateDir: string, observe: Observer = () => undefined): Promise<ScheduleService> {
  const errors: unknown[] = [];
  const interrupted = new AbortController().signal;
  const engine = openEngine({ stateDir, via: 'test', program, interrupted, observe });
  await engine.enterService('http://127.0.0.1:1');
  await engine.supervise();
  const runner = engine.runSchedules({ onError: (error) => errors.push(error) });
  const service: ScheduleService = Object.freeze({
    engine,
    errors,
    stop: async () => {
      services.delete(service);
      await runner.stop();
      await engine.leaveService();
      engine.close();
    },
  });
  services.add(service);
  return service;
}

afterEach(async () => {
  for (const service of services) {
    const { engine } = service;
    const active = await engine.schedules({ ended: false });
    await Promise.all(active.map(({ record }) => engine.endSchedule(record.uid)));
    await engine.recoverAll(false);
    await service.stop();
  }
});

export async function addSchedule({ engine }: ScheduleService, body: JsonObject): Promise<ScheduleRecord> {
  return (await engine.addSchedule(await parseSchedule(body))).record;
}

/** Wait for what takes a few ticks, on a machine that may be busy. */
export async function eventually<T>(what: string, look: () => Promise<T | false> | T | false): Promise<T> {
  const deadline = performance.now() + 60_000;
  for (;;) {
    const seen = await look();
    if (seen !== false) return seen;
    if (performance.now() > deadline) throw new Error(`waited 60 s in vain: ${what}`);
    await delay(20);
  }
}

/** The events of schedules in a journal, the oldest first. */
export function scheduleEvents(stateDir: string): readonly { readonly type: string; readonly data: JsonObject }[] {
  const store = openStore(stateDir);
  try {
    const rows = store.all("SELECT type, data FROM event WHERE type LIKE 'schedule.%' ORDER BY id");
    return rows.map((row) => ({ type: text(row, 'type'), data: object(row, 'data') }));
  } finally {
    store.close();
  }
}

/** When a run had the target in its grip: from its admission to its end, in CLOCK_BOOTTIME ms. */
function gripOf({ timeline }: Injection): { readonly from: number; readonly to: number } {
  const end = timeline.findLast(({ type }) => ['recovered', 'failed', 'unrecoverable'].includes(type));
  return { from: timeline[0]?.bootMs ?? Number.NaN, to: end?.bootMs ?? Number.POSITIVE_INFINITY };
}

/** Each item but the first with the one before it. */
function pairs<Item>(items: readonly Item[]): readonly (readonly [Item, Item])[] {
  return items.slice(1).flatMap((item, index) => {
    const before = items[index];
    return before === undefined ? [] : [[before, item] as const];
  });
}

/** How long a schedule ran, and how often it was to tick, in milliseconds. */
export interface Span {
  readonly elapsedMs: number;
  readonly everyMs: number;
}

/** What is counted of a schedule. */
type Ticks = Pick<ScheduleRecord, 'uid' | 'runs' | 'skipped'>;

/** What holds of every schedule that is over, however slow the machine: no two runs at once, every run undone. */
export function expectSound(runs: readonly Injection[], record: Ticks, { elapsedMs, everyMs }: Span): void {
  const grips = runs.map(gripOf).sort((one, other) => one.from - other.from);
  for (const [before, next] of pairs(grips)) {
    expect(next.from, 'a run begins when the one before has ended').toBeGreaterThanOrEqual(before.to);
  }
  expect(record.runs + record.skipped, 'no more than the clock had ticks').toBeLessThanOrEqual(elapsedMs / everyMs + 1);
  expect(runs.length).toBeLessThanOrEqual(record.runs);
  for (const run of runs) {
    expect(run.record.schedule).toBe(record.uid);
    expect(['recovered', 'failed'], run.record.uid).toContain(run.record.state);
  }
}

/** No tick was taken twice: the moments of the ticks differ, and each has a run of its own. */
export function expectOncePerTick(stateDir: string, uid: string, everyMs: number): void {
  const events = scheduleEvents(stateDir).filter(({ data }) => data['schedule'] === uid);
  const taken = events.filter(({ type }) => type === 'schedule.run');
  expect(new Set(taken.map(({ data }) => data['run'])).size).toBe(taken.length);
  const dues = taken.map(({ data }) => Date.parse(textOf(data['dueAt']))).sort((one, other) => one - other);
  // One tick would be at one moment. Half the rhythm is for a wall clock that is set a little meanwhile.
  for (const [before, next] of pairs(dues)) expect(next - before).toBeGreaterThan(everyMs / 2);
}
