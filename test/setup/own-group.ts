/*
 * Runs in each process that runs tests, before them. To kill(2) 0 is everybody in the group of the caller: a PID that a
 * test did not get, and takes for 0, would end the whole run of tests without a word, with whoever started it.
 */

const kill = process.kill.bind(process);

process.kill = (pid, signal) => {
  if (pid === 0) throw new Error(`a test was about to send ${signal ?? 'SIGTERM'} to its own process group`);
  return kill(pid, signal);
};
