import type { Architecture } from '../arch.ts';
import { architecture } from '../arch.ts';
import { arm64 } from './arm64.ts';
import type { TraceArchitecture } from './arch.ts';
import { x86_64 } from './x86-64.ts';

const architectures: Readonly<Record<Architecture, TraceArchitecture>> = { x86_64, arm64 };

/** What tracing needs to know of the processor that we run on. @throws FaultlineError ARCHITECTURE_UNSUPPORTED */
export function traceArchitecture(): TraceArchitecture {
  return architectures[architecture()];
}
