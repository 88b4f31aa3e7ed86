import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { FaultlineError } from '../../base/error.ts';
import type { JsonObject } from '../../base/json.ts';
import { printable } from '../../base/text.ts';
import { refuseForeignNames, refuseForeignPages } from './browser.ts';
import type { Caller, RequiredRole, Role } from './caller.ts';
import { certificateIdentity } from './certificate.ts';
import type { Identity } from './identity.ts';
import { localIdentity } from './local-user.ts';
import type { RefusalLog } from './refusals.ts';
import { hasTokens, roleOfToken, type Tokens } from './token.ts';

/** How callers are known, and what becomes of those who are not let in. */
export interface Access {
  readonly tokens: Tokens;
  /** Whether callers must show a client certificate. */
  readonly clientCertificates: boolean;
  /** Names that the service is called by beside `localhost`, in lower case; used where a connection alone lets in. */
  readonly names: readonly string[];
  readonly refusals: RefusalLog;
  /** @throws {FaultlineError} TOO_MANY_REQUESTS */
  limitRate(request: FastifyRequest, reply: FastifyReply): Promise<void>;
}

function isEncrypted(request: FastifyRequest): boolean {
  return 'encrypted' in request.raw.socket;
}

/** Where a request comes from, as far as it is known before anybody is. */
function originOf(request: FastifyRequest): JsonObject {
  const { remoteAddress, remotePort } = request.raw.socket;
  return { via: 'http', address: remoteAddress ?? null, port: remotePort ?? null };
}

function tokenIdentity(tokens: Tokens, header: string | undefined): Identity {
  try {
    const role = roleOfToken(tokens, header);
    return { role, actor: { token: role } };
  } catch (error) {
    if (error instanceof FaultlineError) return { refusal: error, actor: {} };
    throw error;
  }
}

const lesser = (one: Role, other: Role): Role => (one === 'read' ? one : other);

/** Both must let the caller in, who may do what both allow. */
function both(one: Identity, other: Identity): Identity {
  const actor = { ...one.actor, ...other.actor };
  if ('refusal' in one) return { refusal: one.refusal, actor };
  if ('refusal' in other) return { refusal: other.refusal, actor };
  return { role: lesser(one.role, other.role), actor };
}

function isLocalOnly({ tokens, clientCertificates }: Access): boolean {
  return !hasTokens(tokens) && !clientCertificates;
}

async function identify(access: Access, request: FastifyRequest): Promise<Identity> {
  const { socket } = request.raw;
  if (isLocalOnly(access)) {
    refuseForeignNames(request.headers, access.names);
    return localIdentity(socket);
  }
  const nobodyElse: Identity = { role: 'attack', actor: {} };
  return both(
    access.clientCertificates ? certificateIdentity(socket) : nobodyElse,
    hasTokens(access.tokens) ? tokenIdentity(access.tokens, request.headers.authorization) : nobodyElse,
  );
}

/** Whoever asks for what is not there must be somebody, but need not be allowed anything. */
function requiredRole(request: FastifyRequest): RequiredRole {
  return request.is404 ? 'read' : (request.routeOptions.config.role ?? 'attack');
}

/** A request may hold its recipient only once: RFC 9112, section 3.2. Node keeps the first one without a word. */
function refuseTwoHosts({ rawHeaders }: { readonly rawHeaders: readonly string[] }): void {
  const hosts = rawHeaders.filter((name, index) => index % 2 === 0 && name.toLowerCase() === 'host');
  if (hosts.length <= 1) return;
  throw new FaultlineError('ARGUMENT_INVALID', 'the request has more than one Host header');
}

/** The role is checked here; who it is was found out before. */
function admit(required: Role, identity: Identity, actor: JsonObject): Caller {
  if ('refusal' in identity) throw identity.refusal;
  if (required === 'attack' && identity.role === 'read') {
    throw new FaultlineError('FORBIDDEN', 'this caller may only read', {
      hint: 'use a token or a certificate of the role attack',
    });
  }
  return Object.freeze({ role: identity.role, actor });
}

function isRefusal(error: unknown): error is FaultlineError {
  return error instanceof FaultlineError && (error.code === 'UNAUTHENTICATED' || error.code === 'FORBIDDEN');
}

/** Connections are for those who may come in: nobody else keeps one for longer than an answer. */
function doNotLinger(reply: FastifyReply): void {
  void reply.header('connection', 'close');
}

/** The path without its query: some people put tokens there. */
function askedBy(request: FastifyRequest): JsonObject {
  const [path = ''] = request.url.split('?', 1);
  return { method: request.method, path: printable(path.slice(0, 200)) };
}

/**
 * Let nobody in who may not come in: sets `request.caller` before anything of the request is read but its headers, or
 * refuses it. Add it before any route.
 *
 * A route asks for a role with `config: { role }`; one that does not is for the role `attack`. Errors are thrown, for
 * the error handlers of the routes to shape.
 */
export function addAccess(app: FastifyInstance, access: Access): void {
  async function letIn(request: FastifyRequest, origin: { actor: JsonObject }): Promise<Caller | undefined> {
    refuseTwoHosts(request.raw);
    refuseForeignPages(request.headers, isEncrypted(request));
    const required = requiredRole(request);
    if (required === 'nobody') return undefined;
    const identity = await identify(access, request);
    origin.actor = Object.freeze({ ...origin.actor, ...identity.actor });
    return admit(required, identity, origin.actor);
  }

  app.decorateRequest('caller', undefined);
  app.addHook('onRequest', async (request, reply) => {
    const origin = { actor: originOf(request) };
    try {
      request.caller = await letIn(request, origin);
      if (request.caller === undefined) doNotLinger(reply);
    } catch (error) {
      doNotLinger(reply);
      await access.limitRate(request, reply);
      if (isRefusal(error)) {
        if (error.code === 'UNAUTHENTICATED') reply.header('www-authenticate', 'Bearer');
        access.refusals.add({ actor: origin.actor, asked: askedBy(request), error });
      }
      throw error;
    }
    await access.limitRate(request, reply);
  });
  app.addHook('onClose', () => {
    access.refusals.close();
  });
}
