import type { Engine } from '../experiment/engine.ts';
import {
  attackDocument,
  auditDocument,
  haltDocument,
  injectionDocument,
  planDocument,
  recordDocument,
  recoveryDocument,
  sweepDocument,
} from './documents.ts';
import type { Operations } from './operations.ts';
import { scheduleDocument, scheduleEndDocument } from './schedule-documents.ts';

/** Deaths of one injection that are told. */
const mostDeaths = 1_000;

/** The engine looks at once; what it throws is told in the same way as by those that take their time. */
function soon<Result>(look: () => Result): Promise<Result> {
  return new Promise((resolve) => {
    resolve(look());
  });
}

/** Operations on the engine of this process. */
export function localOperations(engine: Engine): Operations {
  return Object.freeze<Operations>({
    plan: async (request) => planDocument(await engine.plan(request)),
    attack: async (request) => attackDocument(await engine.attack(request)),
    recover: async (uid, abandon) => recoveryDocument(await engine.recover(uid, abandon)),
    recoverAll: async (abandon) => sweepDocument(await engine.recoverAll(abandon)),
    halt: async (reason) => sweepDocument(await engine.halt(reason)),
    releaseHalt: async () => haltDocument(await engine.releaseHalt()),
    halted: () => soon(() => haltDocument(engine.halted())),
    find: async (uid) => {
      const injection = engine.find(uid);
      const deaths = engine.deaths({ injection: uid }, mostDeaths).map(({ record }) => record);
      return injectionDocument(injection, { present: await engine.observe(injection), deaths: deaths.toReversed() });
    },
    list: (filter) =>
      soon(() => ({
        items: engine.list(filter).map(recordDocument),
        total: engine.count(filter),
        offset: filter.offset ?? 0,
      })),
    addSchedule: async (request) => scheduleDocument(await engine.addSchedule(request)),
    schedules: async (filter) => ({
      items: (await engine.schedules(filter)).map(scheduleDocument),
      total: engine.countSchedules(filter),
      offset: filter.offset ?? 0,
    }),
    findSchedule: async (uid) => scheduleDocument(await engine.findSchedule(uid)),
    endSchedule: async (uid) => scheduleEndDocument(await engine.endSchedule(uid)),
    audit: (limit) => soon(() => engine.audit(limit).map(auditDocument)),
    examine: () => engine.examine(),
  });
}
