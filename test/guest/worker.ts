/*
 * The guest's half of the tests: vitest's worker, which runs what the runner on the host tells it to, through a port.
 * The runner stays on the host, so that the guest has less to do, and so that what was found survives it.
 */
import { openSync, read, writeSync } from 'node:fs';
import { init, runBaseTests, setupEnvironment } from 'vitest/worker';
import { frameOf, frameReader } from '../../scripts/guest/frames.ts';
import { channelEnd } from '../../scripts/guest/order.ts';

const readBytes = 64 * 1024;

/** vitest puts another function in its place, which throws. */
const exit = process.exit.bind(process);
const channel = openSync(process.env['GUEST_CHANNEL'] ?? '', 'r+');
const listeners = new Set<(message: unknown) => void>();

function write(message: unknown): void {
  const frame = frameOf(message);
  for (let at = 0; at < frame.length; ) at += writeSync(channel, frame, at);
}

const onData = frameReader((message) => {
  if (message === channelEnd) exit(0);
  for (const listener of listeners) listener(message);
});

/** Node.js has no other way to wait for a device than a thread that reads. */
function readOn(): void {
  read(channel, Buffer.alloc(readBytes), 0, readBytes, null, (error, length, data) => {
    if (error !== null || length === 0) exit(1);
    onData(data.subarray(0, length));
    readOn();
  });
}

init({
  post: write,
  on: (listener) => void listeners.add(listener),
  off: (listener) => void listeners.delete(listener),
  runTests: (state, traces) => runBaseTests('run', state, traces),
  collectTests: (state, traces) => runBaseTests('collect', state, traces),
  setup: setupEnvironment,
});
readOn();
write(channelEnd);
