import { existsSync } from 'node:fs';
import path from 'node:path';
import { qemu } from './acceleration.ts';
import { Unavailable } from './unavailable.ts';

/** Programs that a guest is run with, and their Debian packages. */
const tools: Readonly<Record<string, string>> = {
  [qemu]: 'qemu-system-x86',
  'mkfs.ext4': 'e2fsprogs',
  setpriv: 'util-linux',
};

/** Where programs are looked for: those of administrators are not in everybody's PATH. */
export const toolPath = `${process.env['PATH'] ?? ''}:/usr/sbin:/sbin`;

/** @throws Unavailable a program is missing */
export function requireTools(): void {
  const missing = Object.entries(tools)
    .filter(([name]) => !toolPath.split(':').some((folder) => existsSync(path.join(folder, name))))
    .map(([name, debianPackage]) => `${name} (Debian: ${debianPackage})`);
  if (missing.length > 0) throw new Unavailable(`missing programs: ${missing.join(', ')}`);
}
