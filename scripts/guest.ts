/**
 * `npm run guest -- COMMAND…`: runs a command in a guest, whose kernel has what tests of kernel faults need. It sees
 * this host's files, begins in this folder, and is root there. Nothing that it writes stays, but for what it writes to
 * /run/faultline-guest/out where GUEST_OUT names a folder.
 *
 * GUEST_TIMEOUT  seconds until the guest is ended (default 600)
 * GUEST_MEMORY   MiB (default 768)
 * GUEST_OUT      a folder of this host's that the guest may write to
 * GUEST_ACCEL    kvm or tcg, without trying which it can be
 * and those of scripts/guest-kernel.ts
 */
import path from 'node:path';
import { obtainKernel } from './guest/kernel.ts';
import { runInGuest } from './guest/lab.ts';
import { requireTools } from './guest/required-tools.ts';
import { runScript } from './guest/script.ts';
import { settings } from './guest/settings.ts';
import { tellBroken, tellFigures } from './guest/telling.ts';

await runScript(async (signal) => {
  const command = process.argv.slice(2);
  if (command.length === 0) {
    console.error('usage: npm run guest -- COMMAND [ARGUMENT]…');
    return 2;
  }
  requireTools();
  const out = process.env['GUEST_OUT'] ?? '';
  const end = await runInGuest({
    ...settings(600),
    kernel: await obtainKernel(signal),
    command,
    cwd: process.env['INIT_CWD'] ?? process.cwd(),
    ...(out === '' ? {} : { out: path.resolve(out) }),
    onConnect: (port, socket) => {
      if (port === 'channel') return;
      socket.pipe(port === 'stdout' ? process.stdout : process.stderr, { end: false });
    },
    signal,
  });
  signal.throwIfAborted();
  if (end.kind === 'ended') {
    tellFigures(end);
    return end.code;
  }
  tellBroken(end);
  return 1;
});
