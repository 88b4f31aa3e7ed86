import type { FastifyServerFactory } from 'fastify';
import { createServer as createHttpServer } from 'node:http';
import { createServer as createHttpsServer } from 'node:https';
import { openFileLimit } from '../../linux/procfs/limits.ts';
import type { Tls } from '../tls.ts';

export interface ConnectionLimits {
  /** Connections at a time; more are closed at once. */
  readonly maxConnections: number;
  /** How long a request may take to arrive, a handshake to be done, and a connection to lie idle, in milliseconds. */
  readonly patienceMs: number;
}

export const defaultPatienceMs = 10_000;

/** The request line and the headers together, in bytes. */
const maxHeaderBytes = 16 * 1024;

/** Files that stay free for the journal, for `/proc` and for the processes that an attack holds. */
const reservedFiles = 512;

/** As many connections as are wanted, but not so many that no file could be opened any more. */
export function affordableConnections(wanted: number, fileLimit: number | undefined = openFileLimit()): number {
  return fileLimit === undefined ? wanted : Math.max(1, Math.min(wanted, fileLimit - reservedFiles));
}

/**
 * How fastify makes its HTTP server: one that a slow, silent or greedy client cannot hold up. Whoever does not send a
 * whole request in time is answered 408, and so is whoever sends nothing at all.
 */
export function serverFactory(limits: ConnectionLimits, tls: Tls | undefined): FastifyServerFactory {
  const { maxConnections, patienceMs } = limits;
  const options = {
    headersTimeout: patienceMs,
    requestTimeout: patienceMs,
    keepAliveTimeout: patienceMs,
    connectionsCheckingInterval: Math.max(10, Math.min(1_000, patienceMs / 4)),
    maxHeaderSize: maxHeaderBytes,
  };
  return (handler) => {
    const server =
      tls === undefined
        ? createHttpServer(options, handler)
        : createHttpsServer({ ...options, ...tls.options, handshakeTimeout: patienceMs }, handler);
    server.maxConnections = maxConnections;
    return server;
  };
}
