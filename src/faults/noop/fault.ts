import { type JsonObject, textOf } from '../../base/json.ts';
import { mayStand, type TargetRef } from '../../base/lifecycle.ts';
import { parseInput } from '../../base/schema.ts';
import type { Effect, Fault, Journal, Plan, TargetVerdict } from '../fault.ts';
import { holdSchema } from './schema.ts';

function confirmed(target: TargetRef, seen: string): TargetVerdict {
  return { target, verdict: 'confirmed', seen, evidence: {} };
}

async function parse(_action: string, input: JsonObject): Promise<JsonObject> {
  const { name = 'drill' } = await parseInput(holdSchema, input);
  return { name };
}

function plan(action: string, spec: JsonObject): Promise<Plan> {
  const name = textOf(spec['name']);
  return Promise.resolve({
    kind: 'noop',
    action,
    targets: [{ key: `noop:${name}`, label: name, does: 'nothing', about: {} }],
    leftOut: [],
    matched: 1,
    sustained: true,
    notes: ['nothing on this host is changed'],
    data: {},
  });
}

async function inject({ targets }: Plan, journal: Journal): Promise<readonly TargetVerdict[]> {
  const effects = await journal.intend(() =>
    targets.map((target) => ({ type: 'nothing', target, apply: {}, undo: {}, hold: target.key })),
  );
  // Here a real fault acts on the host.
  journal.settle(effects.map((effect) => ({ effect, status: 'applied', outcome: {} })));
  return effects.map(({ target }) => confirmed(target, 'held, in name only'));
}

function observe(effects: readonly Effect[]): Promise<readonly TargetVerdict[]> {
  return Promise.resolve(
    effects.map(({ target, status }) => confirmed(target, status === 'applied' ? 'held, in name only' : 'let go')),
  );
}

async function recover(effects: readonly Effect[], journal: Journal): Promise<readonly TargetVerdict[]> {
  const open = effects.filter(({ status }) => mayStand(status));
  const heldByOthers = await journal.release(open);
  const last = open.filter((effect) => !heldByOthers.has(effect));
  // Here a real fault undoes what it did to the host.
  journal.settle(last.map((effect) => ({ effect, status: 'undone', outcome: {} })));
  return open.map((effect) => {
    const other = heldByOthers.get(effect);
    return confirmed(effect.target, other === undefined ? 'let go' : `still held by ${other}`);
  });
}

/** The fault that does nothing: the smallest one that is whole. `docs/creating-a-fault.md` starts from it. */
export const noop: Fault = {
  kind: 'noop',
  check: () => Promise.resolve([]),
  lasts: () => true,
  parse,
  plan,
  inject,
  observe,
  recover,
};
