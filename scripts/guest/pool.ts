import { EventEmitter, once } from 'node:events';
import type { Socket } from 'node:net';
import type { PoolRunnerInitializer, PoolWorker } from 'vitest/node';
import { frameOf, frameReader } from './frames.ts';
import { channelEnd } from './order.ts';

/** The host's end of vitest's worker in the guest. */
export interface GuestWorker {
  /** Resolved when the worker listens. */
  readonly listening: Promise<void>;
  /** Take the port by which it is reached. */
  readonly connect: (socket: Socket) => void;
  /** The guest is gone: the tests that wait for it fail. */
  readonly lose: (why: string) => void;
  /** Ask it to end, and with it the guest. */
  readonly dismiss: () => void;
  readonly pool: PoolRunnerInitializer;
}

/** What the worker in the guest is for one test file. vitest attaches what it likes, and leaves it attached. */
interface Turn {
  readonly events: EventEmitter;
  readonly over: Promise<void>;
  readonly end: () => void;
}

function newTurn(): Turn {
  let end: () => void = () => {};
  const over = new Promise<void>((resolve) => {
    end = resolve;
  });
  return { events: new EventEmitter(), over, end };
}

/**
 * A pool of one worker, which is in the guest: all files run one after the other, in one process and one boot. vitest
 * itself stays on the host. In the guest it would take 17 seconds to begin with its first test, where the worker takes
 * 5 (an idle machine, without KVM); and what is known of the tests outlives a guest that crashes.
 */
export function guestWorker(): GuestWorker {
  const start = new EventEmitter();
  const listening = once(start, 'listening').then(() => {});
  let channel: Socket | undefined;
  let lost: Error | undefined;
  /** The one that messages are for. */
  let turn: Turn | undefined;
  /** The one that was asked for last. */
  let latest: Turn | undefined;

  const send = (message: unknown): void => {
    if (channel?.writable === true) channel.write(frameOf(message));
  };
  const onMessage = (message: unknown): void => {
    if (message === channelEnd) start.emit('listening');
    else turn?.events.emit('message', message);
  };
  const createPoolWorker = (): PoolWorker => {
    const previous = latest;
    const mine = newTurn();
    latest = mine;
    return {
      name: 'guest',
      on: (event, callback) => void mine.events.on(event, callback),
      off: (event, callback) => void mine.events.off(event, callback),
      send,
      deserialize: (message) => message,
      start: async () => {
        // vitest begins with a file while it still waits for the last one's worker to end.
        await previous?.over;
        if (lost !== undefined) throw lost;
        turn = mine;
      },
      stop: () => {
        if (turn === mine) turn = undefined;
        mine.end();
        return Promise.resolve();
      },
    };
  };
  return {
    listening,
    connect: (socket) => {
      channel = socket;
      socket.on('data', frameReader(onMessage));
    },
    lose: (why) => {
      lost = new Error(why);
      // Only a file that is not yet done waits for it. An `error` that nobody waits for would be thrown.
      turn?.events.emit('error', lost);
    },
    dismiss: () => send(channelEnd),
    pool: { name: 'guest', createPoolWorker },
  };
}
