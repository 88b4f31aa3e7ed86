import type { FastifyBaseLogger } from 'fastify';
import { localOperations } from '../api/local.ts';
import type { Operations } from '../api/operations.ts';
import type { Limiter } from '../base/concurrency.ts';
import { FaultlineError } from '../base/error.ts';
import type { Engine } from '../experiment/engine.ts';
import type { AttackRequest } from '../experiment/request.ts';
import type { Caller } from './access/caller.ts';
import type { DeathRecorder } from './deaths/recorder.ts';
import { concurrencyLimit } from './limits/concurrency.ts';
import type { ServerOptions } from './options.ts';
import type { Work } from './work.ts';

/** What every route works with. */
export interface Service {
  readonly options: ServerOptions;
  /** For looking; whatever acts goes through {@link Service.operationsFor}. */
  readonly engine: Engine;
  readonly log: FastifyBaseLogger;
  /** Who dies on this host. */
  readonly deaths: DeathRecorder;
  /** What a caller asks for is done in the caller's name, a limited number of attacks and recoveries at a time. */
  operationsFor(caller: Caller | undefined): Operations;
}

export interface ServiceParts {
  readonly engine: Engine;
  readonly options: ServerOptions;
  readonly log: FastifyBaseLogger;
  readonly work: Work;
  readonly deaths: DeathRecorder;
}

/** Attacks that were asked for and are not answered yet: the journal may not know of them. */
interface Pending {
  /** Do what was asked for, unless its uid is withdrawn before it begins. */
  run<Result>(request: AttackRequest, body: (request: AttackRequest) => Promise<Result>): Promise<Result>;
  /** None of this uid that was asked for until now begins any more. */
  withdraw(uid: string): void;
}

function pendingAttacks(): Pending {
  const pending = new Set<{ readonly uid: string; withdrawn: boolean }>();
  return {
    run: async (request, body) => {
      const one = { uid: request.uid, withdrawn: false };
      pending.add(one);
      try {
        return await body({ ...request, stillWanted: () => !one.withdrawn });
      } finally {
        pending.delete(one);
      }
    },
    withdraw: (uid) => {
      for (const one of pending) if (one.uid === uid) one.withdrawn = true;
    },
  };
}

export function serviceOver({ engine, options, log, work, deaths }: ServiceParts): Service {
  // Undoing must not wait behind attacks, which may take their time.
  const [attacks, recoveries] = [concurrencyLimit(options.maxConcurrency), concurrencyLimit(options.maxConcurrency)];
  const pending = pendingAttacks();
  function inTurn<Result>(turns: Limiter, body: () => Promise<Result>): Promise<Result> {
    return turns(() => {
      work.refuseWhenClosed();
      return body();
    });
  }
  function operationsFor(caller: Caller | undefined): Operations {
    if (caller === undefined) throw new FaultlineError('UNAUTHENTICATED', 'nobody is known to ask');
    const acting = engine.actingAs(caller.actor);
    const operations = localOperations({ ...acting, attack: (request) => acting.attackOnce(request) });
    return Object.freeze<Operations>({
      ...operations,
      plan: (request) => work.run(() => inTurn(attacks, () => operations.plan(request))),
      attack: (request) =>
        work.run(() =>
          pending.run(request, async (wanted) => {
            // Whoever asks for the same again waits for the first, and takes up no place meanwhile.
            await engine.settled(wanted.uid);
            return inTurn(attacks, () => operations.attack(wanted));
          }),
        ),
      recover: (uid, abandon) =>
        work.run(() =>
          inTurn(recoveries, () => {
            // First of all: what waits for its turn, or is being planned, is nothing yet that could be undone.
            pending.withdraw(uid);
            return operations.recover(uid, abandon);
          }),
        ),
      // These wait for nobody.
      recoverAll: (abandon) => work.run(() => operations.recoverAll(abandon)),
      halt: (reason) => work.run(() => operations.halt(reason)),
      releaseHalt: () => work.run(() => operations.releaseHalt()),
      addSchedule: (request) => work.run(() => operations.addSchedule(request)),
      endSchedule: (uid) => work.run(() => operations.endSchedule(uid)),
    });
  }
  return Object.freeze({ options, engine, log, deaths, operationsFor });
}
