import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach } from 'vitest';
import { type EngineContext, openContext } from '../context.ts';

/** An engine on a state folder of its own, for each test of a file. @returns that of the test which runs */
export function contextOfEachTest(): () => EngineContext {
  let folder = '';
  let context: EngineContext | undefined;
  beforeEach(() => {
    folder = mkdtempSync(path.join(tmpdir(), 'faultline-engine-'));
    context = openContext({
      stateDir: path.join(folder, 'state'),
      via: 'test',
      program: [],
      interrupted: new AbortController().signal,
      observe: () => undefined,
    });
  });
  afterEach(() => {
    context?.store.close();
    rmSync(folder, { recursive: true, force: true });
  });
  return () => {
    if (context === undefined) throw new Error('no test runs');
    return context;
  };
}
