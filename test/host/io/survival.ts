import { expect } from 'vitest';
import type { TargetAnswer } from '../../support/io-target-program.ts';
import { readJournal } from '../../support/journal.ts';
import { stateOf } from '../targets/processes.ts';
import { content, nothingLeft, type Scene, scene } from './lab.ts';
import { startTarget, type Target } from './target.ts';

/*
 * Whatever dies of SIGKILL, at whatever step: in the end the volume is what it was, the program that uses it lives and
 * works, nothing is mounted, and the journal says so.
 */

export const fault = ['fault', '--methods', 'read', '--errno', 'EIO'];
export const readAll = { do: 'read', at: 0, size: content.length } as const;
export const textOf = ({ bytes = '' }: TargetAnswer): string => Buffer.from(bytes, 'base64').toString();

export interface Stage {
  readonly one: Scene;
  readonly target: Target;
}

export async function stage(): Promise<Stage> {
  const one = scene();
  return { one, target: await startTarget(one.inVolume('file')) };
}

/** The program is there, and its file is what it was. */
export async function expectWell({ one, target }: Stage, step: string): Promise<void> {
  await nothingLeft(one, [target.pid]).catch((error: unknown) => {
    throw new Error(`${step}: ${String(error)}`);
  });
  expect(stateOf(target.pid), step).toBe('S');
  for (const file of [{}, { file: one.inVolume('file') }]) {
    expect(textOf(await target.ask({ ...readAll, ...file })) === content, step).toBe(true);
  }
}

export function expectSettled({ stateDir }: Scene, step: string): void {
  for (const { record, effects } of readJournal(stateDir)) {
    expect(['recovered', 'failed'], `${step}: ${record.state}`).toContain(record.state);
    const open = effects.filter(({ status }) => status !== 'undone' && status !== 'refused');
    expect(open, step).toEqual([]);
  }
}

/** After the next command all is as it was. */
export async function expectRecovered(on: Stage, step: string): Promise<void> {
  const ran = await on.one.run(['recover', '--all']);
  expect(ran.code, `${step}: ${ran.stdout}${ran.stderr}`).toBe(0);
  await expectWell(on, step);
  expectSettled(on.one, step);
  const again = await on.one.run(['recover', '--all']);
  expect(again.stdout, step).toBe('Nothing is live\n');
}
