import { readFileSync } from 'node:fs';
import { gunzipSync } from 'node:zlib';
import { isErrno } from './syscall-error.ts';
import { kernelRelease } from './kernel-release.ts';

/** Which options the running kernel was built with, as far as it tells. */
export type KernelConfig = ReadonlyMap<string, string>;

function readable(file: string): Buffer | undefined {
  try {
    return readFileSync(file);
  } catch (error) {
    if (isErrno(error, 'ENOENT', 'EACCES', 'EPERM')) return undefined;
    throw error;
  }
}

/** Where distributions put it. */
function readConfig(): string | undefined {
  const own = readable('/proc/config.gz');
  if (own !== undefined) return gunzipSync(own).toString('latin1');
  const release = kernelRelease();
  const files = [`/boot/config-${release}`, `/lib/modules/${release}/config`, `/usr/lib/modules/${release}/config`];
  for (const file of files) {
    const found = readable(file);
    if (found !== undefined) return found.toString('latin1');
  }
  return undefined;
}

/**
 * The options that are set, by name without CONFIG_: `KPROBES` is `y`.
 *
 * @returns undefined where neither the kernel nor its distribution shows them
 */
export function kernelConfig(): KernelConfig | undefined {
  const text = readConfig();
  if (text === undefined) return undefined;
  return new Map([...text.matchAll(/^CONFIG_(\w+)=(.*)$/gm)].map(([, name = '', value = '']) => [name, value]));
}
