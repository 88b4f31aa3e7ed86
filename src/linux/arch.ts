import { FaultlineError } from '../base/error.ts';

/** A processor architecture by its kernel name (`uname -m`, with aarch64 called arm64 as in the kernel's own tree). */
export type Architecture = 'x86_64' | 'arm64';

const byNodeName: Readonly<Partial<Record<string, Architecture>>> = { x64: 'x86_64', arm64: 'arm64' };

/**
 * The architecture that Node calls `nodeArch` (`process.arch`).
 *
 * @throws FaultlineError ARCHITECTURE_UNSUPPORTED: there are no syscall numbers for it here.
 */
export function architectureOf(nodeArch: string): Architecture {
  const architecture = Object.hasOwn(byNodeName, nodeArch) ? byNodeName[nodeArch] : undefined;
  if (architecture === undefined) {
    throw new FaultlineError('ARCHITECTURE_UNSUPPORTED', `the architecture ${nodeArch} is not supported`, {
      hint: 'run Faultline on x86_64 or arm64',
      details: { architecture: nodeArch },
    });
  }
  return architecture;
}

/** The architecture of this process. @throws FaultlineError ARCHITECTURE_UNSUPPORTED */
export function architecture(): Architecture {
  return architectureOf(process.arch);
}
