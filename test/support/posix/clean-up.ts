import { afterAll } from 'vitest';

export type CleanUp = () => void | Promise<void>;

/** What is to be undone after the tests of this describe, the last first, whatever has failed before. */
export function cleanUpAfterAll(): (cleanUp: CleanUp) => void {
  const cleanUps: CleanUp[] = [];
  afterAll(async () => {
    const errors: unknown[] = [];
    for (const cleanUp of cleanUps.splice(0).toReversed()) {
      try {
        await cleanUp();
      } catch (error) {
        errors.push(error);
      }
    }
    if (errors.length > 0) throw new AggregateError(errors, 'cleaning up has failed');
  });
  return (cleanUp) => cleanUps.push(cleanUp);
}
