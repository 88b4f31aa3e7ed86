import type { FastifyPluginAsync } from 'fastify';
import type { AttackDocument, ErrorDocument, RecoveryDocument } from '../../api/documents.ts';
import type { Operations } from '../../api/operations.ts';
import { type ErrorCode, errorCodes } from '../../base/error-codes.ts';
import { FaultlineError, isFaultlineError } from '../../base/error.ts';
import type { Verdict } from '../../base/lifecycle.ts';
import { boolean, integer, object, optional, string } from '../../base/schema-types.ts';
import { printable } from '../../base/text.ts';
import { type AttackRequest, attackSchema, parseAttackBody } from '../../experiment/request.ts';
import { scheduleRequest } from '../../experiment/schedule/request.ts';
import type { FaultDescriptor } from '../../faults/fault.ts';
import { faults } from '../../faults/registry.ts';
import { refuseRecoverCommand } from '../recover-command.ts';
import type { Service } from '../service.ts';
import { readAttack } from './body.ts';
import { errorAnswers, kindUnknown } from './errors.ts';
import { knownSchedule } from './schedule.ts';

/** What chaosd answers to an attack, its fields in chaosd's order; ours come after them. */
export interface AttackAnswer {
  readonly status: 200;
  readonly message: 'attack successfully';
  readonly uid: string;
  /** Only where it is not `confirmed`. */
  readonly verdict?: Verdict;
  readonly reason?: string;
}

export interface RecoveryAnswer {
  readonly status: 200;
  readonly message: 'attack recover successfully';
  readonly uid: string;
  /** Only where there was nothing that could be undone. */
  readonly recovered?: false;
  readonly reason?: string;
}

const attackAnswer = object(
  {
    status: integer(),
    message: string(),
    uid: string(),
    verdict: optional(string({ description: 'mismatch or inconclusive; absent when it is confirmed' })),
    reason: optional(string({ description: 'What was seen instead' })),
  },
  { description: 'Injected' },
);

const recoveryAnswer = object(
  {
    status: integer(),
    message: string(),
    uid: string(),
    recovered: optional(boolean({ description: 'false: there was nothing that could be undone' })),
    reason: optional(string()),
  },
  { description: 'Undone, now or before, or nothing to undo' },
);

const bodyOptions = { additionalProperties: false, description: 'The attack; what is not set may be empty or null' };

function bodySchema(fault: FaultDescriptor) {
  const actions = Object.keys(fault.actions);
  const own = Object.values(fault.actions).map(({ schema }) => schema.properties);
  return object(
    {
      action: optional(string({ enum: actions, description: 'For a process: by default stop for SIGSTOP, else kill' })),
      ...Object.assign({}, ...own),
      ...attackSchema.properties,
      schedule: optional(string({ description: 'Again and again: five fields as in crontab(5), or @every 10s' })),
    },
    bodyOptions,
  );
}

function isErrorCode(code: string): code is ErrorCode {
  return Object.hasOwn(errorCodes, code);
}

/** A shortfall that the client is to hear as an error: it is one once more. */
function errorOf({ code, message, hint }: ErrorDocument): FaultlineError {
  const extras = hint === null ? {} : { hint };
  return new FaultlineError(isErrorCode(code) ? code : 'UNEXPECTED', message, extras);
}

function success(uid: string): AttackAnswer {
  return { status: 200, message: 'attack successfully', uid };
}

function doubt({ shortfall, targets, verdict }: AttackDocument): string {
  if (shortfall !== null) return shortfall.message;
  const bad = targets.find((one) => one.phase === 'inject' && one.verdict === verdict);
  return bad === undefined ? 'nothing was seen' : `${bad.target.label} ${bad.seen}`;
}

function attackAnswerOf(document: AttackDocument): AttackAnswer {
  const { uid, verdict, shortfall } = document;
  if (shortfall?.code === 'INJECTION_FAILED') throw errorOf(shortfall);
  if (document.state === 'recovered') {
    // It was asked for before, and has been undone since. A client that means another attack must hear of it.
    const reason = `this attack was made at ${document.createdAt} and is recovered: nothing was done now`;
    return { ...success(uid), verdict: verdict ?? 'inconclusive', reason };
  }
  if (verdict === 'confirmed') return success(uid);
  return { ...success(uid), verdict: verdict ?? 'inconclusive', reason: printable(doubt(document)) };
}

/** What a client of chaosd should hear where the engine refuses in words of its own. */
function refusal(request: AttackRequest, error: unknown): AttackAnswer {
  if (isFaultlineError(error, 'TARGET_NONE')) {
    // Mode random-max-percent has chosen none: as asked for, and nothing to undo.
    return { ...success(request.uid), verdict: 'inconclusive', reason: error.message };
  }
  const { process: name } = request.input;
  if (isFaultlineError(error, 'PROCESS_NOT_FOUND') && typeof name === 'string') {
    const hint = error.hint === undefined ? error.message : `${error.message}; ${error.hint}`;
    throw new FaultlineError('PROCESS_NOT_FOUND', `process ${name} not found`, { hint, cause: error });
  }
  throw error;
}

async function attack(operations: Operations, request: AttackRequest): Promise<AttackAnswer> {
  try {
    return attackAnswerOf(await operations.attack(request));
  } catch (error) {
    return refusal(request, error);
  }
}

function recoveryAnswerOf(uid: string, recovery: RecoveryDocument | null): RecoveryAnswer {
  const answer: RecoveryAnswer = { status: 200, message: 'attack recover successfully', uid };
  const shortfall = recovery?.shortfall ?? null;
  if (shortfall === null) return answer;
  // An error would have clients ask again for ever.
  if (shortfall.code !== 'RECOVERY_IMPOSSIBLE') throw errorOf(shortfall);
  return { ...answer, recovered: false, reason: printable(shortfall.message) };
}

async function recover(operations: Operations, uid: string): Promise<RecoveryAnswer> {
  const schedule = await knownSchedule(operations, uid);
  if (schedule === undefined) return recoveryAnswerOf(uid, await operations.recover(uid, false));
  return recoveryAnswerOf(uid, (await operations.endSchedule(uid)).recovered);
}

/** chaosd heeds `duration` in schedules only, and clients send it with any attack: where nothing lasts it is void. */
async function withoutUselessLease(fault: FaultDescriptor, request: AttackRequest): Promise<AttackRequest> {
  if (request.leaseMs === undefined) return request;
  const behaviour = await fault.load();
  const lasts = behaviour.lasts(request.action, await behaviour.parse(request.action, request.input));
  return lasts ? request : { ...request, leaseMs: undefined };
}

/** `POST /attack/{kind}` for every kind that there is, and in words for any other. */
export function attackRoutes(service: Service): FastifyPluginAsync {
  return (app) => {
    for (const fault of faults) {
      app.post(
        `/attack/${fault.kind}`,
        {
          schema: {
            tags: ['chaosd'],
            summary: `Attack: ${fault.kind}`,
            body: bodySchema(fault),
            response: { 200: attackAnswer, ...errorAnswers },
          },
        },
        async ({ body, caller }): Promise<AttackAnswer> => {
          refuseRecoverCommand(service.options, body);
          const { body: wanted, schedule } = readAttack(fault, body);
          const operations = service.operationsFor(caller);
          const request = await parseAttackBody(wanted);
          if (schedule === undefined) return attack(operations, await withoutUselessLease(fault, request));
          const { uid } = await operations.addSchedule(scheduleRequest(schedule, request));
          return success(uid);
        },
      );
    }
    app.post<{ Params: { kind: string } }>('/attack/:kind', { schema: { hide: true } }, ({ params }) => {
      throw kindUnknown(params.kind);
    });
    return Promise.resolve();
  };
}

/** `DELETE /attack/{uid}`. */
export function recoveryRoutes(service: Service): FastifyPluginAsync {
  return (app) => {
    // Clients send a type of content with it, or a body, though it has none.
    app.removeAllContentTypeParsers();
    app.addContentTypeParser('*', { parseAs: 'buffer' }, (_request, _body, done) => {
      done(null, undefined);
    });
    app.delete<{ Params: { uid: string } }>(
      '/attack/:uid',
      {
        schema: {
          tags: ['chaosd'],
          summary: 'Undo an attack, or end a schedule',
          params: object({ uid: string({ description: 'As the attack was answered' }) }),
          response: { 200: recoveryAnswer, ...errorAnswers },
        },
      },
      async ({ params, caller }): Promise<RecoveryAnswer> => recover(service.operationsFor(caller), params.uid),
    );
    return Promise.resolve();
  };
}
