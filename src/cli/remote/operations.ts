import type { AttackDocument } from '../../api/documents.ts';
import type { Operations } from '../../api/operations.ts';
import { FaultlineError } from '../../base/error.ts';
import { attackBody, type AttackRequest } from '../../experiment/request.ts';
import { printable } from '../../base/text.ts';
import { type Ask, type Client, lookPatienceMs, type Reply } from './client.ts';
import { listAll } from './pages.ts';
import { remoteSchedules } from './schedules.ts';
import {
  isAttack,
  isAudit,
  documentOf,
  isHalt,
  isHost,
  isInjection,
  isPlan,
  isRecovery,
  type Guard,
  isSweep,
} from './shapes.ts';

/** What changes something lasts as long as it was asked to look for its effect, or as its recover commands run. */
const actPatienceMs = 15 * 60_000;

/** Locally a uid is good for one attack, and so it is here; unless the first answer was lost on its way to us. */
function refuseRepeated({ uid }: AttackRequest, { state }: AttackDocument, { status, again }: Reply): void {
  if (status !== 200 || again) return;
  throw new FaultlineError('INJECTION_EXISTS', `there is an injection ${uid} already (${state})`, {
    hint: `faultline show ${uid}`,
  });
}

/** What is no uid is no part of a path either: `..` would lead elsewhere, and nothing to all injections. */
function injectionPath(uid: string): string {
  if (/^[A-Za-z0-9][A-Za-z0-9._:-]{0,127}(?:~\d+)?$/.test(uid)) return `/injections/${uid}`;
  throw new FaultlineError('INJECTION_NOT_FOUND', `there is no injection ${printable(uid)}`, {
    hint: 'faultline search --all lists them, faultline schedule list the schedules; or is it another state folder?',
  });
}

type Asking = <Document>(what: string, is: Guard<Document>, wanted: Ask) => Promise<Document>;

const look = { method: 'GET', patienceMs: lookPatienceMs, repeatable: true } as const;
const act = { patienceMs: actPatienceMs, repeatable: false } as const;

const abandonQuery = (abandon: boolean): string => (abandon ? '?abandon=true' : '');

async function attack(client: Client, request: AttackRequest): Promise<AttackDocument> {
  const reply = await client.ask({
    ...act,
    method: 'POST',
    path: '/injections',
    body: attackBody(request),
    repeatable: true, // by its uid
    look: `show ${request.uid}`,
  });
  const injection = documentOf(client.url, 'injection', isAttack, reply.document);
  refuseRepeated(request, injection, reply);
  return injection;
}

function recovering(ask: Asking): Pick<Operations, 'recover' | 'recoverAll'> {
  return {
    recover: async (uid, abandon) => {
      const path = `${injectionPath(uid)}${abandonQuery(abandon)}`;
      const wanted = {
        ...act,
        method: 'DELETE',
        path,
        repeatable: true,
        lackingStatus: 409,
        look: `show ${uid}`,
      } as const;
      return ask('recovery', isRecovery, wanted);
    },
    recoverAll: (abandon) => {
      const path = `/injections${abandonQuery(abandon)}`;
      return ask('list of recoveries', isSweep, { ...act, method: 'DELETE', path, look: 'search' });
    },
  };
}

function halting(ask: Asking): Pick<Operations, 'halt' | 'releaseHalt' | 'halted'> {
  const path = '/halt';
  const change = { ...act, path, look: 'halt --status' } as const;
  return {
    halt: (reason) => ask('list of recoveries', isSweep, { ...change, method: 'POST', body: { reason } }),
    releaseHalt: () => ask('halt', isHalt, { ...change, method: 'DELETE' }),
    halted: () => ask('halt', isHalt, { ...look, path }),
  };
}

/** Operations that a service carries out. */
export function remoteOperations(client: Client): Operations {
  const ask: Asking = async (what, is, wanted) => {
    const { document } = await client.ask(wanted);
    return documentOf(client.url, what, is, document);
  };
  return Object.freeze<Operations>({
    plan: (request) => ask('plan', isPlan, { ...look, method: 'POST', path: '/plans', body: attackBody(request) }),
    attack: (request) => attack(client, request),
    ...recovering(ask),
    ...halting(ask),
    find: async (uid) => ask('injection', isInjection, { ...look, path: injectionPath(uid) }),
    list: (filter) => listAll(client, filter),
    ...remoteSchedules(client),
    audit: async (limit) => (await ask('audit log', isAudit, { ...look, path: `/audit?limit=${limit}` })).items,
    examine: async () => (await ask('account of a host', isHost, { ...look, path: '/host' })).parts,
  });
}
