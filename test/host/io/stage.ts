import { statSync } from 'node:fs';
import { expect } from 'vitest';
import type { ShownInjection } from '../../support/cli.ts';
import type { TargetAnswer } from '../../support/io-target-program.ts';
import { content, nothingLeft, type Scene, scene } from './lab.ts';
import { startTarget, type Target } from './target.ts';

/*
 * A volume with a program that has a file of it open, and what is asked of both.
 */

interface Counts {
  readonly seen: number;
  readonly matched: number;
  readonly injected: number;
  readonly recent: readonly {
    readonly pid: number;
    readonly path: string;
    readonly offset: number;
    readonly errno: number;
  }[];
}

/** What `show -o json` tells of the rules, while it lasts. */
export function countsOf({ present }: ShownInjection): readonly Counts[] {
  const evidence = (present[0]?.evidence ?? {}) as { readonly rules?: readonly Counts[] };
  return evidence.rules ?? [];
}

export const textOf = ({ bytes = '' }: TargetAnswer): string => Buffer.from(bytes, 'base64').toString();

/** A volume, and a program that has a file of it open. */
export async function sceneWithTarget(): Promise<{ readonly one: Scene; readonly target: Target }> {
  const one = scene();
  return { one, target: await startTarget(one.inVolume('file')) };
}

/** Everything is as it was, for the file that is open all the time and for one that is opened now. */
export async function expectWell(one: Scene, target: Target): Promise<void> {
  await nothingLeft(one, [target.pid]);
  for (const file of [{}, { file: one.inVolume('file') }]) {
    expect(textOf(await target.ask({ do: 'read', at: 0, size: content.length, ...file }))).toBe(content);
    const { stat } = await target.ask({ do: 'stat', ...file });
    const { size, mode, uid, ino } = statSync(one.inVolume('file'));
    expect(stat).toEqual({ size, mode, uid, ino });
  }
}
