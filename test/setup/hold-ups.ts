import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { Worker } from 'node:worker_threads';
import type { TestProject } from 'vitest/node';

declare module 'vitest' {
  interface ProvidedContext {
    /** Where a line is added for each hold-up: when it ended, in ms since 1970, and how long it was, in ms. */
    readonly holdUpsFile: string;
  }
}

/** What a thread does that has nothing else to do: it is late only where the machine is. */
const watching = `
const { appendFileSync } = require('node:fs');
const { workerData } = require('node:worker_threads');
let last = performance.now();
setInterval(() => {
  const now = performance.now();
  const lost = Math.round(now - last - workerData.lookMs);
  last = now;
  if (lost >= workerData.leastMs) appendFileSync(workerData.file, Date.now() + ' ' + lost + '\\n');
}, workerData.lookMs);`;

/**
 * Notes when this machine stood still, as it does where a hypervisor gives its processors to somebody else or a disk
 * does not answer. Tests of what takes real time cannot be judged by what they saw then: see `tried-again.ts`.
 */
export function setup(project: TestProject): () => Promise<void> {
  const folder = mkdtempSync(path.join(tmpdir(), 'faultline-hold-ups-'));
  const file = path.join(folder, 'hold-ups');
  writeFileSync(file, '');
  const watcher = new Worker(watching, { eval: true, workerData: { file, lookMs: 50, leastMs: 250 } });
  watcher.unref();
  project.provide('holdUpsFile', file);
  return async () => {
    await watcher.terminate();
    rmSync(folder, { recursive: true, force: true });
  };
}
