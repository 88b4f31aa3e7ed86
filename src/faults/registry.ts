import { FaultlineError } from '../base/error.ts';
import { printable } from '../base/text.ts';
import type { FaultDescriptor } from './fault.ts';
import { noopFault } from './noop/descriptor.ts';
import { processFault } from './process/descriptor.ts';

/** Every fault kind there is. A new one is a folder here and one line in this list. */
export const faults: readonly FaultDescriptor[] = [processFault, noopFault];

/** @throws {FaultlineError} FAULT_UNKNOWN */
export function faultOf(kind: string): FaultDescriptor {
  const fault = faults.find((one) => one.kind === kind);
  if (fault !== undefined) return fault;
  throw new FaultlineError('FAULT_UNKNOWN', `there is no fault "${printable(kind)}"`, {
    hint: `there is: ${faults.map((one) => one.kind).join(', ')}`,
  });
}
