import type { Socket } from 'node:net';
import type { Client as ClientType, Dispatcher } from 'undici';
import buildConnector from 'undici/lib/core/connect.js';
import Client from 'undici/lib/dispatcher/client.js';

/** An idle connection is closed before any server would close it just when it is used again. */
const idleMs = 1_000;
/** So much earlier than the server has announced by `Keep-Alive: timeout=1`. */
const earlierMs = 500;
/** An answer that is longer than this many bytes may be without end, and nobody is to be measured reading it. */
const mostBytes = 16 * 1024 * 1024;

/** A connection that serves one request at a time, and is opened anew for the next one when it has been closed. */
export interface Connection {
  dispatch(options: Dispatcher.DispatchOptions, handler: Dispatcher.DispatchHandler): void;
  /** Its request is over: another one may have it. */
  release(): void;
  /** Closes it, at whatever it is. */
  destroy(): void;
}

export interface Connections {
  /** The one that was used last, for it is the least likely to be closed; or a new one. */
  take(): Connection;
  /** Closes those that are idle. Those that were taken are closed by who has them. */
  destroy(): void;
}

/**
 * Connections to a server, as many as are taken at the same time.
 *
 * undici has a pool as well, but what waits for a server that does not even accept connections cannot be ended there.
 */
export function connectionsTo(origin: string): Connections {
  const connect = buildConnector({ timeout: 0 });
  const idle: Connection[] = [];
  let isOver = false;

  function open(): Connection {
    let socket: Socket | undefined;
    const client: ClientType = new Client(origin, {
      connect: (options, callback) => {
        // The connector returns it, though its type does not say so.
        socket = connect(options, callback) as unknown as Socket;
      },
      // How long a request may take is looked after for all of them in one place: `Rounds`.
      headersTimeout: 0,
      bodyTimeout: 0,
      keepAliveTimeout: idleMs,
      keepAliveMaxTimeout: idleMs,
      keepAliveTimeoutThreshold: earlierMs,
      maxResponseSize: mostBytes,
    });
    const connection: Connection = {
      dispatch: (options, handler) => void client.dispatch(options, handler),
      release: () => {
        if (isOver) connection.destroy();
        else idle.push(connection);
      },
      destroy: () => {
        client.destroy().catch(() => undefined);
        // One that is not connected yet is none of the client's.
        socket?.destroy();
      },
    };
    return connection;
  }

  return {
    take: () => idle.pop() ?? open(),
    destroy: () => {
      isOver = true;
      for (const connection of idle.splice(0)) connection.destroy();
    },
  };
}
