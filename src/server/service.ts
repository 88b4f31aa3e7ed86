import type { FastifyBaseLogger } from 'fastify';
import { localOperations } from '../api/local.ts';
import type { Operations } from '../api/operations.ts';
import { FaultlineError } from '../base/error.ts';
import type { Engine } from '../experiment/engine.ts';
import type { Caller } from './access/caller.ts';
import { concurrencyLimit } from './limits/concurrency.ts';
import type { ServerOptions } from './options.ts';

/** What every route works with. */
export interface Service {
  readonly options: ServerOptions;
  /** For looking; whatever acts goes through {@link Service.operationsFor}. */
  readonly engine: Engine;
  readonly log: FastifyBaseLogger;
  /** What a caller asks for is done in the caller's name, a limited number of attacks and recoveries at a time. */
  operationsFor(caller: Caller | undefined): Operations;
}

export function serviceOver(engine: Engine, options: ServerOptions, log: FastifyBaseLogger): Service {
  const inTurn = concurrencyLimit(options.maxConcurrency);
  function operationsFor(caller: Caller | undefined): Operations {
    if (caller === undefined) throw new FaultlineError('UNAUTHENTICATED', 'nobody is known to ask');
    const acting = engine.actingAs(caller.actor);
    const operations = localOperations({ ...acting, attack: (request) => acting.attackOnce(request) });
    return Object.freeze<Operations>({
      ...operations,
      // A halt waits for nobody.
      plan: (request) => inTurn(() => operations.plan(request)),
      attack: (request) => inTurn(() => operations.attack(request)),
      recover: (uid, abandon) => inTurn(() => operations.recover(uid, abandon)),
    });
  }
  return Object.freeze({ options, engine, log, operationsFor });
}
