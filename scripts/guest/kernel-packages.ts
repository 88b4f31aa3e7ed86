import { spawnSync } from 'node:child_process';
import type { KernelRecipe } from './kernel-recipe.ts';
import { runTool } from './run-tool.ts';
import { Unavailable } from './unavailable.ts';

/** Debian packages that a kernel with BTF is built with: Documentation/process/changes.rst. */
const compiling = [
  'bc',
  'bison',
  'dwarves',
  'flex',
  'gcc',
  'libc6-dev',
  'libelf-dev',
  'libssl-dev',
  'make',
  'zlib1g-dev',
];
const packing = ['cpio', 'kmod', 'lz4', 'perl', 'python3-minimal', 'rsync', 'xz-utils'];

function isInstalled(name: string): boolean {
  const { stdout } = spawnSync('dpkg-query', ['-W', '-f', '${db:Status-Abbrev}', name], { encoding: 'utf8' });
  // dpkg-query itself may be missing.
  return typeof stdout === 'string' && stdout.startsWith('ii');
}

/**
 * See that all is there that the kernel is built of and with. Packages are installed only by root in a continuous
 * integration; anybody else is told which are missing.
 *
 * @throws Unavailable
 */
export async function ensurePackages({ sourcePackage, series }: KernelRecipe, signal: AbortSignal): Promise<void> {
  const missing = [sourcePackage, ...compiling, ...packing].filter((name) => !isInstalled(name));
  if (missing.length === 0) return;
  if (process.getuid?.() !== 0 || process.env['CI'] === undefined) {
    throw new Unavailable(
      `there is no kernel for the guest, and to build one these packages are missing: ${missing.join(' ')}\n` +
        '  install them (Debian 12), or name the recorded kernel in GUEST_BZIMAGE',
    );
  }
  console.error(`guest kernel: installing ${missing.join(' ')}`);
  const options = { signal, env: { DEBIAN_FRONTEND: 'noninteractive' } };
  try {
    await runTool('apt-get', ['update', '-qq'], options);
    await runTool('apt-get', ['install', '-qq', '-y', '--no-install-recommends', ...missing], options);
  } catch (error) {
    signal.throwIfAborted();
    throw new Unavailable(
      `there is no kernel for the guest, and the packages to build Linux ${series} cannot be installed; ` +
        'a series newer than the release may need its backports among the sources of apt',
      { cause: error },
    );
  }
}
