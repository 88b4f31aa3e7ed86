import type { JsonObject } from '../../base/json.ts';

/** What a caller may do: look, or attack and undo as well. */
export type Role = 'read' | 'attack';

/** Who asks. */
export interface Caller {
  readonly role: Role;
  /** For the audit log: how it came, from where, and as whom. */
  readonly actor: JsonObject;
}

/** What a route asks of its caller: a role, or `nobody` where anybody may ask. */
export type RequiredRole = Role | 'nobody';

declare module 'fastify' {
  interface FastifyRequest {
    /** Set before any handler runs, except on routes that anybody may ask. */
    caller: Caller | undefined;
  }
  interface FastifyContextConfig {
    /** Routes that do not say are for the role `attack`. */
    role?: RequiredRole;
  }
}
