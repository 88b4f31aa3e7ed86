import { describeBattery } from './battery.ts';

describeBattery('tmpfs');
