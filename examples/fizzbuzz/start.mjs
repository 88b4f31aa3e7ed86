// FizzBuzz as a service, all of it: node start.mjs
//
// Starts nginx (port 8080) and two API servers (ports 8001 and 8002), and starts again what ends. Ctrl-C ends it.
// Other servers may be given in place of the two: node start.mjs server.mjs dies-of-sigfpe.mjs
import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { constants, tmpdir } from 'node:os';
import path from 'node:path';

const here = import.meta.dirname;
const folder = mkdtempSync(path.join(tmpdir(), 'fizzbuzz-'));
const servers = process.argv.length > 2 ? process.argv.slice(2) : ['server.mjs', 'server.mjs'];
const running = new Set();
let isOver = false;

function keepRunning(name, file, args) {
  const child = spawn(file, args, { stdio: ['ignore', 'inherit', 'inherit'] });
  running.add(child);
  const onEnd = (exitCode) => {
    if (!running.delete(child) || isOver) return;
    console.log(`ERROR: ${name} has ended, exit code ${exitCode}. It is started again.`);
    setTimeout(() => isOver || keepRunning(name, file, args), 1000);
  };
  child.on('error', (error) => onEnd(`127 (${error.message})`));
  child.on('exit', (code, signal) => onEnd(signal === null ? code : 128 + constants.signals[signal]));
}

for (const [index, server] of servers.entries()) {
  keepRunning(`FizzBuzz API ${index + 1}`, process.execPath, [path.join(here, server), String(8001 + index)]);
}
// Debian keeps nginx where a normal user's PATH does not lead.
process.env.PATH = `${process.env.PATH}:/usr/sbin`;
keepRunning('nginx', 'nginx', ['-p', folder, '-e', 'error.log', '-c', path.join(here, 'nginx.conf')]);

function end() {
  isOver = true;
  for (const child of running) child.kill('SIGKILL');
  rmSync(folder, { recursive: true, force: true });
  process.exit();
}
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, end);
