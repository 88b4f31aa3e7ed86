import type { JsonObject } from '../base/json.ts';
import type { TSchema } from '../base/schema-types.ts';
import type { Fields, Place, ReadFields } from './yaml-fields.ts';

/*
 * Chaos Mesh's objects, as its YAML files have them. Which of them a fault carries out on a host stands in the fault's
 * descriptor, and what is in them the fault's own folder knows. What is the same in all of them stands here.
 */

/** One kind of object: the light half, loaded with every command. */
export interface ObjectKind {
  /** `IOChaos` */
  readonly kind: string;
  /**
   * What a file cannot say of a host, above all which processes are meant: properties that all actions of the fault
   * have. They become flags.
   */
  readonly properties: Readonly<Record<string, TSchema>>;
  /** Those of them that stand in for the selector of pods. */
  readonly selection: readonly string[];
  /** Who is meant where none of those is given: the end of a sentence. */
  readonly unselected: string;
  /** The heavy half. */
  load(): Promise<ObjectReader>;
}

export interface ObjectReader {
  /** The fields of `spec`. Those of {@link podFields} among them. */
  readonly fields: Fields;
  /**
   * What `spec` asks for.
   *
   * @param at where `spec` begins
   * @throws {FaultlineError} ARGUMENT_INVALID, with line and column
   */
  read(spec: ReadFields, at: Place): ObjectAttack;
}

/** What an object asks for, in the words of the fault's own actions. */
export interface ObjectAttack {
  readonly action: string;
  /** What the action's flags would say, still to be parsed by the fault. */
  readonly input: JsonObject;
  /** Where each property of the input stands. */
  readonly places: Readonly<Record<string, Place>>;
  /** Sentences about fields that the action has no use for; Chaos Mesh ignores them as well. */
  readonly notes: readonly string[];
}

/** What chooses pods and containers, and how long it lasts: the same in all kinds. */
export const podFields: Fields = {
  mode: 'text',
  value: 'word',
  selector: 'any',
  containerNames: 'texts',
  remoteCluster: 'text',
  duration: 'text',
};

function isEmpty(value: unknown): boolean {
  if (value === '' || (Array.isArray(value) && value.length === 0)) return true;
  return typeof value === 'object' && value !== null && Object.keys(value).length === 0;
}

/** The fields that choose among pods, as far as they say anything. */
export function podChoices(spec: ReadFields): readonly string[] {
  return Object.keys(podFields).filter((name) => {
    const field = spec[name];
    return name !== 'duration' && field !== undefined && !isEmpty(field.value);
  });
}
