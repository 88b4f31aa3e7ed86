// The same server with a leak: node grows.mjs PORT
//
// Each request leaves a megabyte behind, until the OOM killer comes: exit code 137. Give it a limit of its own, or it
// takes the memory of the whole machine first:
//
//   systemd-run --scope --quiet --unit fizzbuzz -p MemoryMax=150M -p MemorySwapMax=0 node grows.mjs 8003
import { serve } from './server.mjs';

const kept = [];

serve(Number(process.argv[2]), () => {
  kept.push(Buffer.alloc(1024 * 1024, 1));
});
