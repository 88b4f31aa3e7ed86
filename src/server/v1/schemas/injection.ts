import { array, boolean, integer, literal, number, object, optional, string } from '../../../base/schema-types.ts';
import { chaosdStatuses, statesOf } from '../../../api/chaosd-status.ts';
import { bootMs, facts, milliseconds, named, nullable, oneOf, time } from './words.ts';

/*
 * The documents of src/api/documents.ts that tell of attacks, as JSON Schema. They are left open: a later version may
 * add a field, and a client must not refuse the answer for it.
 */

export const states = chaosdStatuses.flatMap(statesOf);

export const errorSchema = named('Problem', 'What went wrong, or what is lacking', {
  code: string({ description: 'Stable; what a program goes by' }),
  message: string({ description: 'What happened to what, for people' }),
  hint: nullable(string({ description: 'What can be done about it' })),
  details: optional(facts('Facts for programs')),
});

const verdict = oneOf(['confirmed', 'mismatch', 'inconclusive'], 'Does what was seen bear out what was meant?');

const targetSchema = named('Target', 'What is hit', {
  key: string({ description: 'No other target ever has the same' }),
  label: string({ description: 'As a person calls it; untrusted text' }),
});

const verdictProperties = {
  target: targetSchema,
  verdict,
  seen: string({ description: 'A phrase for people' }),
  evidence: facts('What the verdict rests on; depends on the fault'),
};

const targetVerdictSchema = named('TargetVerdict', 'What was seen of one target', verdictProperties);

const journaledVerdictSchema = named('JournaledVerdict', 'What was seen of one target, and when', {
  ...verdictProperties,
  phase: oneOf(['inject', 'recover'], 'After which of the two it was looked at'),
  round: integer({ description: '0 is the injection itself; then it counts the repetitions' }),
});

const effectSchema = named('Effect', 'One thing that was done, and what undoes it', {
  id: integer(),
  round: integer(),
  type: string({ description: 'Tells how to read apply and undo' }),
  target: targetSchema,
  apply: facts('What was done'),
  undo: nullable(facts('What undoes it; null: nothing does')),
  hold: nullable(string({ description: 'What it has in its grip until it is undone' })),
  status: oneOf(['intended', 'applied', 'refused', 'releasing', 'undone'], 'How far it is'),
  outcome: nullable(facts('What came of it')),
  intendedBootMs: bootMs('When it was written down'),
  settledBootMs: nullable(bootMs('When it was clear what came of it')),
});

const eventSchema = named('TimelineEvent', "One line of an injection's timeline", {
  at: time('When'),
  bootMs: bootMs('When'),
  type: string(),
  data: facts('What belongs to it; depends on the type'),
});

const recordProperties = {
  uid: string(),
  kind: string({ description: 'The fault' }),
  action: string({ description: 'What the fault does' }),
  state: oneOf(states, 'Where it is in its life'),
  status: oneOf(chaosdStatuses, "chaosd's word for the state"),
  verdict: nullable(verdict),
  createdAt: time('When it was admitted'),
  updatedAt: time('When it last changed'),
  leaseMs: nullable(milliseconds('How long it lasts from the injection on; null: until it is recovered')),
  repeatMs: nullable(milliseconds('How often it is injected again')),
  rounds: integer({ description: 'How often it was injected' }),
  schedule: nullable(string({ description: 'The uid of the schedule that it is a run of' })),
  spec: facts('What was asked for, with every default filled in'),
  error: nullable(errorSchema),
  actor: facts('Who asked for it'),
};

export const summarySchema = named('InjectionSummary', 'One injection, as lists have it', recordProperties);

const causedDeathSchema = named('CausedDeath', 'A death that an injection has caused', {
  at: time('When it died'),
  pid: integer({ description: 'As the host sees it' }),
  nsPid: nullable(integer({ description: "As its own PID namespace saw it; null where that was the host's" })),
  name: string(),
  how: string({ description: 'How it ended, and who sent the signal' }),
  source: oneOf(['bpf', 'tracefs', 'proc-connector'], 'What has seen it'),
});

const injectionProperties = {
  ...recordProperties,
  targets: array(journaledVerdictSchema),
  present: optional(array(targetVerdictSchema, { description: 'What the targets are now' })),
  deaths: optional(array(causedDeathSchema, { description: 'Deaths that it has caused, as far as they were watched' })),
  plan: facts('What was planned'),
  effects: array(effectSchema),
  timeline: array(eventSchema),
};

export const injectionSchema = named('Injection', 'One injection, with all that is known of it', injectionProperties);

export const attackAnswerSchema = named('Attack', 'What an attack came to', {
  ...injectionProperties,
  shortfall: nullable(errorSchema),
});

export const planAnswerSchema = named('Plan', 'Exactly what an attack would touch', {
  dryRun: literal(true),
  kind: string(),
  action: string(),
  targets: array(
    object({
      ...targetSchema.properties,
      does: string({ description: 'What would be done to it' }),
      about: facts('What is known of it'),
      doubt: optional(string({ description: 'Why it may not work' })),
    }),
  ),
  leftOut: array(
    object({
      ...targetSchema.properties,
      rule: string({ description: 'Which rule spares it' }),
      reason: string(),
      override: optional(string({ description: 'What would let it be hit' })),
      named: boolean({ description: 'It was named, and not only caught by a pattern' }),
    }),
  ),
  matched: integer({ description: 'How many targets there are to choose from' }),
  sustained: boolean({ description: 'Something stays in force, to be undone later' }),
  repeatMs: optional(number({ description: 'How often it would be injected again, in milliseconds' })),
  notes: array(string()),
  listing: optional(array(string(), { description: 'What would be done in detail, line by line' })),
  data: facts('What the fault needs to know of it'),
});

export const recoveryAnswerSchema = named('Recovery', 'What became of an injection that was to be undone', {
  uid: string(),
  state: oneOf(states, 'Where it is in its life'),
  recovered: boolean({ description: 'It is undone, or was broken off while it was still injected (state failed)' }),
  already: boolean({ description: 'It was over before: nothing was done' }),
  repeatMs: nullable(milliseconds('How often it was injected again')),
  targets: array(targetVerdictSchema),
  error: nullable(errorSchema),
  shortfall: nullable(errorSchema),
});

export const sweepAnswerSchema = named('Sweep', 'What became of every injection that was live', {
  recovered: array(recoveryAnswerSchema),
  failed: array(object({ uid: string(), code: string(), message: string() })),
});
