import { ways } from '../../../support/posix/ways.ts';
import { describeBattery } from './battery.ts';

// How files are served does not depend on the file system, but for how they are found again: one way is enough.
describeBattery('overlayfs', ways.slice(0, 1));
