/**
 * `npm run guest:kernel`: has the guest's kernel ready, building it if need be, and prints its file.
 * `npm run guest:kernel -- check`: only sees whether the kernel's source takes each option of the fragment.
 *
 * GUEST_KERNEL   another series than Debian's own, as 6.12
 * GUEST_BZIMAGE  a kernel that was built elsewhere: it must be the recorded one
 * GUEST_CACHE    where kernels are kept
 */
import { checkRecipe, obtainKernel } from './guest/kernel.ts';
import { requireTools } from './guest/required-tools.ts';
import { runScript } from './guest/script.ts';

await runScript(async (signal) => {
  if (process.argv[2] === 'check') {
    await checkRecipe(signal);
    return 0;
  }
  requireTools();
  const { file, origin } = await obtainKernel(signal);
  console.error(`guest kernel: ${origin}`);
  console.log(file);
  return 0;
});
