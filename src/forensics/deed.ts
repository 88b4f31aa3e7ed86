import type { JsonObject } from '../base/json.ts';

/** What an injection did to a process, as the journal has it. */
export interface Deed {
  /** Its uid. */
  readonly injection: string;
  /** `attack process kill` */
  readonly attack: string;
  /** When it was asked for, in wall-clock ms since 1970. */
  readonly at: number;
  /** When it was seen to have ended by it, in wall-clock ms since 1970; null where it was not, or in another boot. */
  readonly endedAt: number | null;
  readonly actor: JsonObject;
  readonly pid: number | null;
  readonly label: string;
  /** Which signal was sent; null where it was something else. */
  readonly signal: number | null;
  /** It had the OOM killer kill it. */
  readonly oom: boolean;
  /** Was it seen to end by it? */
  readonly ended: boolean;
  /** What was seen of it: `died of SIGKILL after 1 ms`. */
  readonly seen: string | null;
}
