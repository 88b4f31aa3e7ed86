import { connect, createServer, type AddressInfo, type Server } from 'node:net';
import { once } from 'node:events';
import { delay } from '../base/delay.ts';

async function listening(): Promise<Server> {
  const server = createServer();
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return server;
}

/** So many ports of 127.0.0.1 on which nobody listens: of those that the kernel gives out, all at the same time. */
export async function freePorts(count: number): Promise<readonly number[]> {
  const servers = await Promise.all(Array.from({ length: count }, listening));
  const ports = servers.map((server) => (server.address() as AddressInfo).port);
  await Promise.all(
    servers.map(async (server) => {
      server.close();
      await once(server, 'close');
    }),
  );
  return ports;
}

function answers(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ host: '127.0.0.1', port });
    socket.on('connect', () => {
      resolve(true);
      socket.destroy();
    });
    socket.on('error', () => resolve(false));
  });
}

/** Waits until somebody listens on a port of 127.0.0.1. */
export async function portAnswers(port: number): Promise<void> {
  while (!(await answers(port))) await delay(10);
}
