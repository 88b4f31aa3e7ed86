import { FaultlineError } from '../../base/error.ts';
import type { Json, JsonObject } from '../../base/json.ts';
import { printable } from '../../base/text.ts';
import type { RuleAction } from './schema.ts';
import { ruleAction } from './toda.ts';
import { type Fields, type ReadField, readFields, type YamlSource, yamlError } from './yaml-fields.ts';

/*
 * Chaos Mesh's IOChaos (`chaos-mesh.org/v1alpha1`), read from its file as it is.
 */

/** An experiment as its file says it. */
export interface IoChaos {
  readonly name: string | null;
  readonly namespace: string | null;
  readonly action: RuleAction;
  /** What `attack io ACTION` takes: the volume and one rule. */
  readonly input: JsonObject;
  /** As it was written: `400s`; null: until it is deleted. */
  readonly duration: string | null;
  /** What chooses pods and containers, which mean nothing on a host: somebody must say which processes are meant. */
  readonly selection: {
    readonly mode: string | null;
    readonly value: string | null;
    readonly selector: JsonObject;
    readonly containerNames: readonly string[];
    readonly remoteCluster: string | null;
  };
  /** Sentences about fields that the action has no use for; Chaos Mesh ignores them as well. */
  readonly notes: readonly string[];
}

const timespec: Fields = { sec: 'whole', nsec: 'whole' };

const attributeFields: Fields = {
  ino: 'whole',
  size: 'whole',
  blocks: 'whole',
  atime: timespec,
  mtime: timespec,
  ctime: timespec,
  kind: 'text',
  perm: 'whole',
  nlink: 'whole',
  uid: 'whole',
  gid: 'whole',
  rdev: 'whole',
};

const specFields: Fields = {
  action: 'text',
  mode: 'text',
  value: 'word',
  selector: 'any',
  containerNames: 'texts',
  remoteCluster: 'text',
  volumePath: 'text',
  path: 'text',
  methods: 'texts',
  percent: 'whole',
  duration: 'text',
  delay: 'text',
  errno: 'word',
  attr: attributeFields,
  mistake: { filling: 'text', maxOccurrences: 'whole', maxLength: 'whole' },
};

const objectFields: Fields = { apiVersion: 'text', kind: 'text', metadata: 'any', spec: 'any', status: 'any' };

/** The one field that says what an action does. */
const fieldOfAction: Readonly<Record<RuleAction, string>> = {
  latency: 'delay',
  fault: 'errno',
  'attr-override': 'attr',
  mistake: 'mistake',
};

type Read = Readonly<Record<string, ReadField>>;

const textIn = (fields: Read, name: string): string | null => {
  const value = fields[name]?.value;
  return (typeof value === 'string' && value !== '') || typeof value === 'number' ? String(value) : null;
};

const listIn = (fields: Read, name: string): readonly string[] => (fields[name]?.value ?? []) as readonly string[];

function objectIn(value: Json | undefined): JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as JsonObject) : {};
}

/** What the flags would say. Empty values count as absent, as they do in Chaos Mesh. */
function inputOf(fields: Read, action: RuleAction): JsonObject {
  const own = fieldOfAction[action];
  const names = { volumePath: 'volume', path: 'path', methods: 'methods', percent: 'percent', [own]: own };
  const entries = Object.entries(names).flatMap(([from, to]) => {
    const value = fields[from]?.value;
    const empty = value === undefined || value === '' || (Array.isArray(value) && value.length === 0);
    return empty ? [] : [[to, value] as const];
  });
  return Object.fromEntries(entries);
}

function notesOf(fields: Read, action: RuleAction): readonly string[] {
  const others = Object.values(fieldOfAction).filter((name) => name !== fieldOfAction[action]);
  return others.flatMap((name) => {
    const field = fields[name];
    return field === undefined ? [] : [`${name} (${field.place}) means nothing to the action ${action}`];
  });
}

function required(source: YamlSource, fields: Read, name: string, specNode: unknown): string {
  const value = textIn(fields, name);
  if (value !== null) return value;
  const offset = (specNode as { readonly range?: readonly number[] } | null)?.range?.[0] ?? 0;
  throw yamlError(source, offset, `spec has no ${name}`, `add ${name}, as the IOChaos of Chaos Mesh has it`);
}

function actionOf(source: YamlSource, given: string, specNode: unknown): RuleAction {
  const offset = source.yaml.isMap(specNode) ? valueOffset(specNode.get('action', true)) : 0;
  try {
    return ruleAction(given);
  } catch {
    const problem = `there is no action "${printable(given.slice(0, 80))}"`;
    throw yamlError(source, offset, problem, 'there is: latency, fault, attrOverride, mistake');
  }
}

function valueOffset(node: unknown): number {
  return (node as { readonly range?: readonly number[] } | undefined)?.range?.[0] ?? 0;
}

function refuseOtherKinds(source: YamlSource, fields: Read): void {
  const [kind, version] = [textIn(fields, 'kind'), textIn(fields, 'apiVersion')];
  if (kind === 'IOChaos' && (version ?? '').startsWith('chaos-mesh.org/')) return;
  const shown = printable(`${version ?? 'no apiVersion'}, ${kind ?? 'no kind'}`.slice(0, 120));
  throw yamlError(source, valueOffset(source.document.contents), `this is no IOChaos of Chaos Mesh (${shown})`, wanted);
}

const wanted = 'it begins with "apiVersion: chaos-mesh.org/v1alpha1" and "kind: IOChaos"';

function experiment(source: YamlSource): IoChaos {
  const { document } = source;
  const top = readFields(source, 'the file', document.contents, objectFields);
  refuseOtherKinds(source, top);
  const specNode = source.yaml.isMap(document.contents) ? document.contents.get('spec', true) : undefined;
  if (specNode === undefined) throw yamlError(source, valueOffset(document.contents), 'there is no spec', wanted);
  const fields = readFields(source, 'spec', specNode, specFields);
  const action = actionOf(source, required(source, fields, 'action', specNode), specNode);
  required(source, fields, 'volumePath', specNode);
  const { name, namespace } = objectIn(top['metadata']?.value);
  return Object.freeze({
    name: typeof name === 'string' ? name : null,
    namespace: typeof namespace === 'string' ? namespace : null,
    action,
    input: inputOf(fields, action),
    duration: textIn(fields, 'duration'),
    selection: {
      mode: textIn(fields, 'mode'),
      value: textIn(fields, 'value'),
      selector: objectIn(fields['selector']?.value),
      containerNames: listIn(fields, 'containerNames'),
      remoteCluster: textIn(fields, 'remoteCluster'),
    },
    notes: notesOf(fields, action),
  });
}

/**
 * The experiments of a file, one for each of its documents. As for Kubernetes the YAML is that of version 1.1: `0644`
 * is octal.
 *
 * @param file what to call it in errors
 * @throws {FaultlineError} ARGUMENT_INVALID, with line and column
 */
export async function parseIoChaos(text: string, file: string): Promise<readonly IoChaos[]> {
  const yaml = await import('yaml');
  const lines = new yaml.LineCounter();
  const documents = yaml.parseAllDocuments(text, { lineCounter: lines, version: '1.1', intAsBigInt: true });
  const parsed = Array.isArray(documents) ? documents : [];
  const experiments = parsed
    .filter(({ contents, errors }) => errors.length > 0 || !(yaml.isScalar(contents) && contents.value === null))
    .map((document) => {
      const source: YamlSource = { yaml, document, lines, file };
      const [error] = document.errors;
      if (error !== undefined) {
        const [problem = ''] = error.message.split('\n');
        throw yamlError(source, error.pos[0], printable(problem.replace(/ at line \d.*$/u, '')), 'it must be YAML');
      }
      return experiment(source);
    });
  if (experiments.length > 0) return experiments;
  throw new FaultlineError('ARGUMENT_INVALID', `${printable(file)} is empty`, { hint: wanted });
}
