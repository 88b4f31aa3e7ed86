import { existsSync, readdirSync, rmSync } from 'node:fs';
import path from 'node:path';

/**
 * Have a file or folder removed when the work with it is over, and also where something ends this process at once, as
 * vitest does when it is interrupted.
 */
export async function withRemoval<Result>(file: string, work: () => Promise<Result>): Promise<Result> {
  const remove = (): void => rmSync(file, { recursive: true, force: true });
  process.once('exit', remove);
  try {
    return await work();
  } finally {
    process.off('exit', remove);
    remove();
  }
}

/**
 * Remove what processes have left in a folder that were killed.
 *
 * @param name of what they leave; its first group is the PID. Where a process has that PID, it stays
 */
export function removeLeftovers(folder: string, name: RegExp): void {
  if (!existsSync(folder)) return;
  for (const entry of readdirSync(folder)) {
    const pid = name.exec(entry)?.[1];
    if (pid === undefined || existsSync(`/proc/${pid}`)) continue;
    rmSync(path.join(folder, entry), { recursive: true, force: true });
  }
}
