// The same server with a mistake in it: node dies-of-sigfpe.mjs PORT
//
// Asked for the number 0 it divides by it, and dies as a program in C does: of SIGFPE, which a shell tells as exit
// code 136. JavaScript would answer Infinity, so it sends itself the signal that the processor would have sent.
import { serve } from './server.mjs';

serve(Number(process.argv[2]), (number) => {
  if (number === 0) process.kill(process.pid, 'SIGFPE');
});
