import type { ErrorDocument, InjectionDocument, PlanDocument, RecoveryDocument } from './documents.ts';

/*
 * What became of the objects of a file: of each one a document, in the order of the file.
 */

/** Which object it is, and the injection that stands for it. */
interface ObjectReference {
  /** `IOChaos` */
  readonly kind: string;
  readonly namespace: string;
  readonly name: string;
}

export interface AppliedDocument extends ObjectReference {
  readonly uid: string;
  /** `planned`: in a dry run; `unchanged`: it was in force already. */
  readonly result: 'injected' | 'unchanged' | 'planned';
  readonly notes: readonly string[];
  /** Null where it is only planned. */
  readonly injection: InjectionDocument | null;
  /** Null but where it is only planned. */
  readonly plan: PlanDocument | null;
}

export interface DeletedDocument extends ObjectReference {
  /** Null where there never was one. */
  readonly uid: string | null;
  /** `already`: it was over before; `failed`: see the error. */
  readonly result: 'recovered' | 'already' | 'failed';
  readonly recovery: RecoveryDocument | null;
  readonly error: ErrorDocument | null;
}
