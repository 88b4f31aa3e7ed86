import { writeSync } from 'node:fs';
import { askFuse } from '../../src/linux/fuse/support.ts';

/** Asks the kernel for FUSE, wherever and as whomever it is started. */
const { status, ...more } = askFuse();
writeSync(1, `${status} ${'reason' in more ? more.reason : ''}\n`);
