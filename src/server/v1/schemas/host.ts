import { array, boolean, integer, object, optional, string } from '../../../base/schema-types.ts';
import { facts, named, nullable, oneOf, time } from './words.ts';

/* The documents that tell of the host and of the service. */

export const haltAnswerSchema = named('Halt', 'Are attacks held off?', {
  halted: boolean(),
  reason: nullable(string()),
  by: nullable(facts('Who halted')),
  at: nullable(time('When')),
});

export const auditAnswerSchema = named('AuditLog', 'The newest entries of the audit log, newest first', {
  items: array(
    named('AuditEntry', 'Who did what, and how it ended', {
      id: integer(),
      at: time('When'),
      actor: facts('Who'),
      action: string({ description: 'attack, recover, halt, release, repair, add schedule, end schedule, request' }),
      subject: nullable(string({ description: 'The uid of the injection' })),
      parameters: facts('What was asked for, without what may be secret'),
      result: string({ description: 'ok, or the code of an error' }),
      message: nullable(string()),
    }),
  ),
});

export const hostAnswerSchema = named('Host', 'What this host supports', {
  parts: array(
    object({
      part: string({ description: 'engine, or a fault' }),
      requirements: array(
        object({
          name: string(),
          status: oneOf(['ok', 'degraded', 'missing'], 'degraded: works, with less evidence or fewer targets'),
          detail: string(),
          remedy: optional(string({ description: 'What to do about it' })),
        }),
      ),
    }),
  ),
});

export const versionAnswerSchema = named('Version', 'What answers', {
  version: string({ description: 'The version of Faultline' }),
  node: string({ description: 'The version of Node.js' }),
  platform: string(),
  arch: string(),
});

export const faultSchema = named('Fault', 'What can be done to a host', {
  kind: string(),
  summary: string(),
  actions: array(
    object({
      action: string(),
      summary: string(),
      details: array(string({ description: 'A paragraph' })),
      examples: array(object({ command: string({ description: 'Arguments of the command line' }), does: string() })),
      schema: facts('The body that asks for it, as JSON Schema'),
    }),
  ),
});

export const faultsAnswerSchema = named('Faults', 'All that can be done', { items: array(faultSchema) });
