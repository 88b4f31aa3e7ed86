import { parseDuration } from '../base/duration.ts';
import { FaultlineError } from '../base/error.ts';
import type { Json } from '../base/json.ts';
import { printable } from '../base/text.ts';
import type { FaultDescriptor } from './fault.ts';
import { nearHint } from './near.ts';
import { type ObjectAttack, type ObjectKind, podChoices } from './object-kind.ts';
import { objectKinds } from './registry.ts';
import {
  errorAt,
  type Fields,
  type Place,
  placeAt,
  placed,
  placeOf,
  type ReadFields,
  readFields,
  textIn,
  type YamlSource,
} from './yaml-fields.ts';

/*
 * Files of objects of Chaos Mesh (`chaos-mesh.org/v1alpha1`), as they are.
 */

/** One object of a file. */
export interface ChaosObject {
  readonly kind: ObjectKind;
  readonly fault: FaultDescriptor;
  readonly namespace: string;
  readonly name: string;
  readonly place: Place;
  /** Look into it: how to end what an object began is known without. */
  read(): Promise<ReadObject>;
}

/** What is in an object. */
export interface ReadObject extends ObjectAttack {
  /** Where its `spec` begins. */
  readonly at: Place;
  /** As it was written: `400s`; null: until it is deleted. */
  readonly duration: string | null;
  /** The fields that choose pods and containers, of which there are none on a host. */
  readonly podChoices: readonly string[];
}

const group = 'chaos-mesh.org/v1alpha1';
const objectFields: Fields = { apiVersion: 'text', kind: 'text', metadata: 'unread', spec: 'unread', status: 'unread' };

/** The fields of ObjectMeta; those that the server of a cluster fills in mean nothing here. */
const metadataFields: Fields = {
  name: 'text',
  namespace: 'text',
  annotations: 'any',
  ...Object.fromEntries(
    [
      'labels',
      'generateName',
      'uid',
      'resourceVersion',
      'generation',
      'creationTimestamp',
      'deletionTimestamp',
      'deletionGracePeriodSeconds',
      'finalizers',
      'ownerReferences',
      'managedFields',
      'selfLink',
    ].map((name) => [name, 'unread'] as const),
  ),
};

/** An object with this annotation is not to be injected, or is to be recovered if it was. */
const pauseAnnotation = 'experiment.chaos-mesh.org/pause';

const wanted = (): string => `an object begins with "apiVersion: ${group}" and "kind: ${kindNames().join('" or "')}"`;

function kindNames(): readonly string[] {
  return objectKinds.map(({ kind }) => kind.kind);
}

function kindOf(source: YamlSource, top: ReadFields) {
  const [name, version] = [textIn(top, 'kind'), textIn(top, 'apiVersion')];
  const here = placeOf(source, source.document.contents);
  if (version !== group) {
    const shown = version === null ? 'it has no apiVersion' : `its apiVersion is ${printable(version.slice(0, 80))}`;
    throw errorAt(top['apiVersion']?.valuePlace ?? here, `this is no object of Chaos Mesh: ${shown}`, wanted());
  }
  if (name === null) throw errorAt(here, 'the object has no kind', wanted());
  const known = objectKinds.find(({ kind }) => kind.kind === name);
  if (known !== undefined) return known;
  const problem = `there is no kind "${printable(name.slice(0, 80))}" here`;
  throw errorAt(top['kind']?.valuePlace ?? here, problem, nearHint(name, kindNames()));
}

/** RFC 1123, as Kubernetes demands it of names. */
const isName = (text: string): boolean => /^[a-z0-9](?:[a-z0-9.-]{0,251}[a-z0-9])?$/u.test(text);
const isNamespace = (text: string): boolean => /^[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?$/u.test(text);

function nameOf(metadata: ReadFields, here: Place): string {
  const name = textIn(metadata, 'name');
  if (name === null) throw errorAt(here, 'the object has no name', 'add metadata.name; it tells it from others');
  if (isName(name)) return name;
  const problem = `"${printable(name.slice(0, 80))}" cannot be a name`;
  throw errorAt(metadata['name']?.valuePlace ?? here, problem, 'small letters, digits, dots and dashes');
}

function namespaceOf(metadata: ReadFields, here: Place): string {
  const namespace = textIn(metadata, 'namespace') ?? 'default';
  if (isNamespace(namespace)) return namespace;
  const problem = `"${printable(namespace.slice(0, 80))}" cannot be a namespace`;
  throw errorAt(metadata['namespace']?.valuePlace ?? here, problem, 'small letters, digits and dashes');
}

function refusePaused(metadata: ReadFields): void {
  const { annotations } = metadata;
  const values = annotations?.value;
  if (annotations === undefined || typeof values !== 'object' || values === null) return;
  const pause: unknown = (values as { readonly [name: string]: Json })[pauseAnnotation];
  if (pause !== 'true') return;
  throw errorAt(
    annotations.place,
    `it is paused: ${pauseAnnotation}`,
    'take that annotation away, or delete the object',
  );
}

function durationOf(spec: ReadFields): string | null {
  const duration = textIn(spec, 'duration');
  const field = spec['duration'];
  if (duration === null || field === undefined) return null;
  try {
    parseDuration(duration);
  } catch (error) {
    throw placed(field.valuePlace, error);
  }
  return duration;
}

async function readObject(source: YamlSource, kind: ObjectKind, metadata: ReadFields): Promise<ReadObject> {
  const { contents } = source.document;
  refusePaused(metadata);
  const node = source.yaml.isMap(contents) ? contents.get('spec', true) : undefined;
  if (node === undefined) throw errorAt(placeOf(source, contents), 'the object has no spec', wanted());
  const at = placeOf(source, node);
  const reader = await kind.load();
  const spec = readFields(source, 'spec', node, reader.fields);
  return Object.freeze({
    ...reader.read(spec, at),
    at,
    duration: durationOf(spec),
    podChoices: podChoices(spec),
  });
}

function objectOf(source: YamlSource): ChaosObject {
  const { contents } = source.document;
  const top = readFields(source, 'the object', contents, objectFields);
  const known = kindOf(source, top);
  const here = placeOf(source, contents);
  const node = source.yaml.isMap(contents) ? contents.get('metadata', true) : undefined;
  const metadata = top['metadata'] === undefined ? {} : readFields(source, 'metadata', node, metadataFields);
  return Object.freeze({
    ...known,
    namespace: namespaceOf(metadata, here),
    name: nameOf(metadata, here),
    place: here,
    read: () => readObject(source, known.kind, metadata),
  });
}

function refuseTwins(objects: readonly ChaosObject[]): void {
  const seen = new Map<string, ChaosObject>();
  for (const one of objects) {
    const key = `${one.kind.kind} ${one.namespace}/${one.name}`;
    const twin = seen.get(key);
    if (twin !== undefined) {
      const problem = `${key} stands in line ${twin.place.line} already`;
      throw errorAt(one.place, problem, 'give it another name');
    }
    seen.set(key, one);
  }
}

/**
 * The objects of a file, one for each of its documents. As for Kubernetes the YAML is that of version 1.1: `0644` is
 * octal. Only what tells which objects they are is looked at.
 *
 * @param file what to call it in errors
 * @throws {FaultlineError} ARGUMENT_INVALID, with line and column
 */
export async function readObjects(text: string, file: string): Promise<readonly ChaosObject[]> {
  const yaml = await import('yaml');
  const lines = new yaml.LineCounter();
  const documents = yaml.parseAllDocuments(text, { lineCounter: lines, version: '1.1', intAsBigInt: true });
  const parsed = Array.isArray(documents) ? documents : [];
  const objects = parsed
    .filter(({ contents, errors }) => errors.length > 0 || !(yaml.isScalar(contents) && contents.value === null))
    .map((document) => {
      const source: YamlSource = { yaml, document, lines, file };
      const [error] = document.errors;
      if (error !== undefined) {
        const [problem = ''] = error.message.split('\n');
        const plain = printable(problem.replace(/ at line \d.*$/u, ''));
        throw errorAt(placeAt(source, error.pos[0]), plain, 'it must be YAML');
      }
      return objectOf(source);
    });
  if (objects.length === 0) {
    throw new FaultlineError('ARGUMENT_INVALID', `${printable(file)} is empty`, { hint: wanted() });
  }
  refuseTwins(objects);
  return objects;
}

/** What to call an object among others: `iochaos/slow`. */
export function objectLabel({ kind, name }: ChaosObject): string {
  return `${kind.kind.toLowerCase()}/${name}`;
}
