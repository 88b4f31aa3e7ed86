import { parentPort, workerData } from 'node:worker_threads';
import { interposerOf } from '../../src/faults/io/rules/interposer.ts';
import type { SharedRules } from '../../src/faults/io/shared-rules.ts';
import { ask } from '../../src/faults/io/test-support/operations.ts';

/*
 * A thread of the data plane without the data plane: asks about so many operations, and tells how many were disturbed.
 * An operation's path, offset and size all say its number, so that a torn event would give itself away.
 */

const { shared, operations } = workerData as { readonly shared: SharedRules; readonly operations: number };

const interposer = interposerOf(shared);
let disturbed = 0;
for (let number = 1; number <= operations; number += 1) {
  const path = `/${String(number).repeat(1 + (number % 30))}`;
  if (ask(interposer, { path, pid: number, offset: number, size: number }) !== undefined) disturbed += 1;
}
parentPort?.postMessage(disturbed, []);
