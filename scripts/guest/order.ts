/*
 * What the host and the guest tell each other. The order is a file that the guest finds by the same name as the host,
 * because it sees the host's files; what comes back goes through ports, which are there before any file system is.
 */

/** What the guest is started for. */
export interface GuestOrder {
  /** The program and its arguments; it is looked up in the guest's PATH. */
  readonly command: readonly string[];
  readonly cwd: string;
  readonly env: Readonly<Record<string, string>>;
  /** Folders of the host's that are seen even if they are in `/tmp`, of which the guest has one of its own. */
  readonly keep: readonly string[];
}

/** A line of JSON each, from the guest's PID 1. */
export type GuestMessage =
  /** All is mounted and the command begins. Milliseconds since the kernel began. */
  | { readonly kind: 'ready'; readonly upMs: number }
  | {
      readonly kind: 'ended';
      /** As a shell has it: 128 and the signal's number for one that died of a signal. */
      readonly code: number;
      readonly upMs: number;
      /** The most memory that was in use at once, as far as a look each second can tell. */
      readonly peakMib: number;
    };

/** The ports of the virtio console, by their numbers. The command finds the device of the last in `GUEST_CHANNEL`. */
export const ports = Object.freeze({ control: 1, stdout: 2, stderr: 3, channel: 4 });

/** Names of the shares, by which the guest mounts them. */
export const shares = Object.freeze({ root: 'hostroot', out: 'out' });

/** Where things are in the guest. */
export const places = Object.freeze({
  /** A folder of the host's that the guest may write to: what is to be kept of a run goes there. */
  out: '/run/faultline-guest/out',
  /** An ext4 file system on a virtio disk of its own. */
  disk: '/run/faultline-guest/disk',
  home: '/run/faultline-guest/home',
  /** The cgroup of the command; PID 1 stays in the root. */
  cgroup: '/sys/fs/cgroup/command',
});

/** From the host: nothing more will come. From the guest, at its beginning: it is listening. */
export const channelEnd = 'faultline-guest';
