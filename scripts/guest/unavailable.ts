/** The guest cannot be had on this machine: neither a success nor a failure of what would have run in it. */
export class Unavailable extends Error {}

/** EX_UNAVAILABLE of sysexits(3): what the programs of the guest end with then, and `.ci/run` tells from a failure. */
export const unavailableCode = 69;
