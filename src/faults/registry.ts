import { FaultlineError } from '../base/error.ts';
import { printable } from '../base/text.ts';
import type { FaultDescriptor } from './fault.ts';
import { ioFault } from './io/descriptor.ts';
import { kernelFault } from './kernel/descriptor.ts';
import { noopFault } from './noop/descriptor.ts';
import type { ObjectKind } from './object-kind.ts';
import { processFault } from './process/descriptor.ts';

/** Every fault kind there is. A new one is a folder here and one line in this list. */
export const faults: readonly FaultDescriptor[] = [processFault, ioFault, kernelFault, noopFault];

/** Every kind of Chaos Mesh's objects that some fault carries out. */
export const objectKinds: readonly { readonly fault: FaultDescriptor; readonly kind: ObjectKind }[] = faults.flatMap(
  (fault) => (fault.objects ?? []).map((kind) => ({ fault, kind })),
);

/** The name of an action that is called so, or has such an alias; undefined when there is none. */
export function actionNamed({ actions }: FaultDescriptor, name: string): string | undefined {
  const found = Object.entries(actions).find(([own, { aliases = [] }]) => own === name || aliases.includes(name));
  return found?.[0];
}

/** @throws {FaultlineError} FAULT_UNKNOWN */
export function faultOf(kind: string): FaultDescriptor {
  const fault = faults.find((one) => one.kind === kind);
  if (fault !== undefined) return fault;
  throw new FaultlineError('FAULT_UNKNOWN', `there is no fault "${printable(kind)}"`, {
    hint: `there is: ${faults.map((one) => one.kind).join(', ')}`,
  });
}
