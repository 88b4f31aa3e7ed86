import { expect, test } from 'vitest';
import { parseApplicationLine } from './application-line.ts';

test.each([
  ['ERROR: FizzBuzz API instance exiting, exit code 143', { exitCode: 143, signal: null }],
  ['worker 12 exited with code 137', { exitCode: 137 }],
  ['process exited with exit status 1', { exitCode: 1 }],
  ["Command '['x']' returned non-zero exit status 2.", { exitCode: 2 }],
  ['{"msg":"child ended","exitCode":139}', { exitCode: 139 }],
  ['returncode=-15', { exitCode: null, signal: 15 }],
  ['subprocess died, return code: -9', { signal: 9 }],
  ['[1]+  Killed                  ./mystery001', { signal: 9 }],
  ['Terminated', { signal: 15 }],
  ['./run.sh: line 3:  4242 Killed                  ./mystery001', { signal: 9 }],
  ['Segmentation fault (core dumped)', { signal: 11, coreDumped: true }],
  ['worker process 77 exited on signal 11 (core dumped)', { signal: 11, coreDumped: true, pid: 77 }],
  ['Main process terminated by signal SIGTERM', { signal: 15 }],
  ['exec: signal: killed', { signal: 9 }],
  ['api.service: Main process exited, code=killed, status=9/KILL', { name: 'api.service', signal: 9 }],
  ['api.service: Main process exited, code=dumped, status=11/SEGV', { signal: 11, coreDumped: true }],
  ['api.service: Main process exited, code=exited, status=203/EXEC', { exitCode: 203, name: 'api.service' }],
  ['api.service: A process of this unit has been killed by the OOM killer.', { oom: true, signal: 9 }],
  ['"State":{"OOMKilled":true,"ExitCode":137}', { exitCode: 137 }],
  ['Reason: OOMKilled', { exitCode: 137, oom: true }],
  ['Exit Code:    137', { exitCode: 137 }],
  ["Command 'x' died with <Signals.SIGKILL: 9>.", { signal: 9 }],
  ['[ERROR] Worker (pid:17) was sent SIGKILL! Perhaps out of memory?', { signal: 9, pid: 17 }],
  ["WorkerLostError('Worker exited prematurely: signal 9 (SIGKILL) Job: 0.')", { signal: 9 }],
  ['make: *** [all] Error 137', { exitCode: 137 }],
  ['make[2]: *** [Makefile:3: all] Error 2', { exitCode: 2 }],
  ['make: *** [Makefile:3: all] Killed', { signal: 9 }],
  ['zsh: killed     ./mystery001', { signal: 9 }],
  ['App [api:0] exited with code [0] via signal [SIGINT]', { signal: 2 }],
  ['./run.sh: line 3:  4242 Killed                  ./mystery001', { signal: 9, pid: 4242 }],
  ['request handler failed with status 3', { exitCode: 3 }],
])('%s', (line, expected) => {
  expect(parseApplicationLine(line)).toMatchObject(expected);
});

test.each([
  'the exit code is documented below',
  'GET /status 200',
  'exit code 4711',
  'killed the lights',
  'OOMKilled: false',
  'received signal 99',
  'caught 3 fish',
  'GET /fizz completed with status 200 in 3 ms',
  'wlan0: link quality 60, signal: 60 dBm',
  // A line of the kernel that was cut off.
  'Killed process 5451 (mystery001) total-vm:30582',
])('none: %s', (line) => {
  expect(parseApplicationLine(line)).toBeUndefined();
});
