import type { ConnectionFlags } from '../connection-options.ts';

/** What the values depend on beside the flag or argument that they are for. */
export interface Wanted {
  readonly typed: string;
  /** `--state-dir`, if it was given on the line. */
  readonly stateDir: string | undefined;
  /** The flags of a service that were given on the line. */
  readonly connection: ConnectionFlags;
}
