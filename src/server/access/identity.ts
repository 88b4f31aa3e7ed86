import type { FaultlineError } from '../../base/error.ts';
import type { JsonObject } from '../../base/json.ts';
import type { Role } from './caller.ts';

/** What one way of knowing callers has found out: who it is and what they may do, or why they are not let in. */
export type Identity =
  | { readonly role: Role; readonly actor: JsonObject }
  | { readonly refusal: FaultlineError; readonly actor: JsonObject };
