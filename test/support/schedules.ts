import path from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { afterEach, expect } from 'vitest';
import type { JsonObject } from '../../src/base/json.ts';
import { type Engine, openEngine } from '../../src/experiment/engine.ts';
import type { Injection } from '../../src/experiment/injection.ts';
import type { Observer } from '../../src/experiment/events.ts';
import { parseSchedule } from '../../src/experiment/schedule/request.ts';
import type { ScheduleRecord } from '../../src/store/schedules.ts';
import { openStore } from '../../src/store/store.ts';

/** Runs the built keeper. */
export const keeperCommand: readonly string[] = [
  process.execPath,
  path.resolve(import.meta.dirname, '../../dist/faultline.js'),
  'keeper',
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
  const engine = openEngine({ stateDir, via: 'test', keeperCommand, interrupted, observe });
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
    for (const { record } of await service.engine.schedules({ ended: false }))
      await service.engine.endSchedule(record.uid);
    await service.engine.recoverAll(false);
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
    return rows.map(({ type, data }) => ({ type: String(type), data: JSON.parse(String(data)) as JsonObject }));
  } finally {
    store.close();
  }
}

/** When a run had the target in its grip: from its admission to its end, in CLOCK_BOOTTIME ms. */
function gripOf({ timeline }: Injection): readonly [number, number] {
  const end = timeline.findLast(({ type }) => ['recovered', 'failed', 'unrecoverable'].includes(type));
  return [timeline[0]?.bootMs ?? Number.NaN, end?.bootMs ?? Number.POSITIVE_INFINITY];
}

/** What holds of every schedule, however slow the machine: no tick twice, no two runs at once, every run undone. */
export function expectSound(runs: readonly Injection[], record: ScheduleRecord, elapsedMs: number, everyMs: number) {
  expect(new Set(runs.map((run) => run.record.uid)).size).toBe(runs.length);
  const grips = runs.map(gripOf).sort(([one], [other]) => one - other);
  for (const [index, [from]] of grips.entries()) {
    if (index > 0)
      expect(from, 'a run begins when the one before has ended').toBeGreaterThanOrEqual(grips[index - 1]?.[1] ?? 0);
  }
  expect(record.runs + record.skipped, 'no more than the clock had ticks').toBeLessThanOrEqual(elapsedMs / everyMs + 1);
  expect(runs.length).toBeLessThanOrEqual(record.runs);
  for (const run of runs) {
    expect(run.record.schedule).toBe(record.uid);
    expect(['recovered', 'failed'], run.record.uid).toContain(run.record.state);
  }
}

/** No tick was taken twice: the moments of the ticks differ, and each has a run of its own. */
export function expectOncePerTick(stateDir: string, everyMs: number): void {
  const taken = scheduleEvents(stateDir).filter(({ type }) => type === 'schedule.run');
  expect(new Set(taken.map(({ data }) => data['run'])).size).toBe(taken.length);
  const dues = taken.map(({ data }) => Date.parse(String(data['dueAt']))).sort((a, b) => a - b);
  for (const [index, due] of dues.entries()) {
    // The wall clock is told in whole milliseconds, and may be slewed.
    if (index > 0) expect(due - (dues[index - 1] ?? 0)).toBeGreaterThan(everyMs - 50);
  }
}
