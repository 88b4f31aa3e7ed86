import { describeBattery } from './battery.ts';

describeBattery('ext4');
