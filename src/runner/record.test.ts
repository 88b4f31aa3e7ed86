import { describe, expect, test } from 'vitest';
import { delay } from '../base/delay.ts';
import { FaultlineError } from '../base/error.ts';
import { openRecorder } from './record.ts';

/** Writes that a test lets through one by one. */
function gatedWrites() {
  const gates: (() => void)[] = [];
  const begun: number[] = [];
  let known = 0;
  return {
    learn: () => ++known,
    begun,
    write: () => {
      begun.push(known);
      return new Promise<void>((resolve) => {
        gates.push(resolve);
      });
    },
    letOne: () => gates.shift()?.(),
  };
}

const turn = (): Promise<void> => delay(0);

describe('a recorder', () => {
  test('what is told while one write is on its way goes with the next', async () => {
    const writes = gatedWrites();
    const recorder = openRecorder(writes.write);
    for (let time = 0; time < 3; time++) {
      writes.learn();
      recorder.touch();
    }
    await turn();
    writes.learn();
    const written = recorder.written();
    writes.letOne();
    await turn();
    writes.letOne();
    await written;
    expect(writes.begun).toEqual([3, 4]);
  });

  test('once it is closed nothing is written any more, and nothing is on its way', async () => {
    const writes = gatedWrites();
    const recorder = openRecorder(writes.write);
    recorder.touch();
    await turn();
    recorder.touch();
    const closed = recorder.close();
    writes.letOne();
    await closed;
    recorder.touch();
    await turn();
    expect(writes.begun).toHaveLength(1);
  });

  test('a touch just before it is closed does not come after the end', async () => {
    const writes = gatedWrites();
    const recorder = openRecorder(writes.write);
    recorder.touch();
    await recorder.close();
    await turn();
    expect(writes.begun).toEqual([]);
  });

  test('keeps why something could not be written, and closes all the same', async () => {
    const recorder = openRecorder(() => Promise.reject(new FaultlineError('STATE_UNWRITABLE', 'the disk is full')));
    recorder.touch();
    await recorder.close();
    await turn();
    expect(recorder.failure()).toBeUndefined();
    const other = openRecorder(() => Promise.reject(new FaultlineError('STATE_UNWRITABLE', 'the disk is full')));
    await expect(other.written()).rejects.toMatchObject({ code: 'STATE_UNWRITABLE' });
    other.touch();
    await turn();
    expect(other.failure()).toMatchObject({ code: 'STATE_UNWRITABLE' });
  });
});
