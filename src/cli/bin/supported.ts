/** What of the host decides whether Faultline can start at all. */
export interface HostFacts {
  /** As in `process.versions.node`: `20.19.0`, without a `v`. */
  readonly nodeVersion: string;
  /** As in `process.platform`. */
  readonly platform: string;
  /** As in `process.arch`. */
  readonly arch: string;
}

const minimumNode = { major: 20, minor: 19 };
const architectures = ['x64', 'arm64'];

/**
 * Why Faultline cannot run on this host, in one sentence, or undefined where it can.
 *
 * It must be asked before anything else is loaded: the addons for system calls and SQLite fail on a host that they
 * were not built for with a message that helps nobody. For the same reason this file imports nothing and uses only
 * syntax and functions that Node 14 has.
 */
export function whyUnsupported({ nodeVersion, platform, arch }: HostFacts): string | undefined {
  if (platform !== 'linux') {
    return `Faultline works on Linux only, and this is ${platform}`;
  }
  if (!architectures.includes(arch)) {
    return `Faultline works on ${architectures.join(' and ')} processors only, and this Node.js is built for ${arch}`;
  }
  if (!isNodeNewEnough(nodeVersion)) {
    return `Faultline needs Node.js ${minimumNode.major}.${minimumNode.minor} or newer, and this is ${nodeVersion}`;
  }
  return undefined;
}

/** A version that cannot be read counts as too old. */
function isNodeNewEnough(nodeVersion: string): boolean {
  const [major = Number.NaN, minor = Number.NaN] = nodeVersion.split('.').map(Number);
  return major > minimumNode.major || (major === minimumNode.major && minor >= minimumNode.minor);
}
