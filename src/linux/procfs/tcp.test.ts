import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';
import { networkInterfaces } from 'node:os';
import { expect, onTestFinished, test } from 'vitest';
import { eventually, start } from '../test-support/processes.ts';
import { readTcpTable, type TcpEndpoint, tcpOwner, tcpSearches } from './tcp.ts';

const uid = process.geteuid?.() ?? 0;

/** Lines as Linux 6.1 has shown them. */
const ends = '0100007F:C8D2 0100007F:7C17';
const queues = '00000000:00000000 00:00000000 00000000';
const line = (state: string, user: number, inode: number): string =>
  [
    '  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode',
    `   0: 00000000:07E8 00000000:0000 0A ${queues} ${'0'.padStart(5)}        0 1603 1 0000 100 0 0 10 0`,
    `  12: ${ends} ${state} ${queues} ${String(user).padStart(5)}        0 ${inode} 1 0000`,
    '',
  ].join('\n');

test.each([
  ['a connection of a user', line('01', 1000, 20_113), 1000],
  ['one of root', line('01', 0, 20_113), 0],
  ['one with a large number', line('01', 4_294_967_294, 4_294_967_295), 4_294_967_294],
  ['half closed by its owner', line('05', 1000, 20_113), 1000],
  ['closed: it seems to be root’s', line('05', 0, 0), undefined],
  ['waiting for its end: it seems to be root’s', line('06', 0, 0), undefined],
  ['being made: its ends may still be those of another one', line('02', 1000, 20_113), undefined],
  ['nothing at all', '', undefined],
  ['cut off', line('01', 1000, 20_113).slice(0, 230), undefined],
])('%s', (_, table, owner) => {
  expect(tcpOwner(table, ends)).toBe(owner);
});

test('the other end of the same connection is another socket', () => {
  expect(tcpOwner(line('01', 1000, 20_113), '0100007F:7C17 0100007F:C8D2')).toBeUndefined();
});

test.each([
  ['127.0.0.1', '127.0.0.2', ['tcp 0100007F:0001 0200007F:FFFF', mapped('0100007F:0001', '0200007F:FFFF')]],
  ['::ffff:127.0.0.1', '127.0.0.1', ['tcp 0100007F:0001 0100007F:FFFF', mapped('0100007F:0001', '0100007F:FFFF')]],
  ['::ffff:7f00:1', '::1', []],
  ['::1', '::1', ['tcp6 00000000000000000000000001000000:0001 00000000000000000000000001000000:FFFF']],
  [
    '2001:db8::ff00:42:8329',
    'fe80::1',
    ['tcp6 B80D01200000000000FF000029834200:0001 000080FE000000000000000001000000:FFFF'],
  ],
  ['fe80::1%lo', '::1', []],
  ['localhost', '127.0.0.1', []],
])('%s and %s', (local, remote, expected) => {
  const searches = tcpSearches({ address: local, port: 1 }, { address: remote, port: 65_535 });
  expect(searches.map(({ table, ends: text }) => `${table} ${text}`)).toEqual(expected);
});

function mapped(local: string, remote: string): string {
  const prefix = '0000000000000000FFFF0000';
  return `tcp6 ${prefix}${local} ${prefix}${remote}`;
}

async function listening(host: string): Promise<{ server: Server; port: number }> {
  const server = createServer();
  server.listen(0, host);
  await once(server, 'listening');
  onTestFinished(() => {
    server.close();
  });
  return { server, port: (server.address() as AddressInfo).port };
}

async function accepted(server: Server): Promise<Socket> {
  const [socket] = (await once(server, 'connection')) as [Socket];
  onTestFinished(() => {
    socket.destroy();
  });
  return socket;
}

function peer(socket: Socket): { client: TcpEndpoint; service: TcpEndpoint } {
  return {
    client: { address: socket.remoteAddress ?? '', port: socket.remotePort ?? 0 },
    service: { address: socket.localAddress ?? '', port: socket.localPort ?? 0 },
  };
}

async function ownerOf(local: TcpEndpoint, remote: TcpEndpoint): Promise<number | undefined> {
  for (const search of tcpSearches(local, remote)) {
    const owner = tcpOwner(await readTcpTable(search.table), search.ends);
    if (owner !== undefined) return owner;
  }
  return undefined;
}

const hasIpv6 = Object.values(networkInterfaces()).some((all) => all?.some(({ address }) => address === '::1'));

test.for([
  ['127.0.0.1', '127.0.0.1'],
  ['127.0.0.1', '::ffff:127.0.0.1'],
  ['::', '127.0.0.1'],
  ['::1', '::1'],
] as const)('a real connection to %s, made to %s', async ([host, target], { skip }) => {
  if (`${host}${target}`.includes(':') && !hasIpv6) skip('this host has no IPv6');
  const { server, port } = await listening(host);
  const client = connect(port, target);
  const { client: theirs, service } = peer(await accepted(server));
  expect(await ownerOf(theirs, service)).toBe(uid);
  client.destroy();
  await once(client, 'close');
  // What is left of it now shows uid 0, and is no root who asks.
  await eventually(() => client.closed);
  expect(await ownerOf(theirs, service)).toBeUndefined();
});

test.runIf(uid === 0)('a connection of another user', async () => {
  const { server, port } = await listening('127.0.0.1');
  const accepting = accepted(server);
  const script = 'require("node:net").connect(Number(process.argv[1]), "127.0.0.1")';
  await start(process.execPath, ['-e', script, String(port)], { uid: 1234, cwd: '/' });
  const { client, service } = peer(await accepting);
  expect(await ownerOf(client, service)).toBe(1234);
});

test('among thousands of bytes of table, whole lines only', async () => {
  const { server, port } = await listening('127.0.0.1');
  const count = 300;
  server.setMaxListeners(count + 1);
  const clients = Array.from({ length: count }, () => connect(port, '127.0.0.1'));
  onTestFinished(() => {
    for (const client of clients) client.destroy();
  });
  let open = 0;
  server.on('connection', (socket) => {
    open += 1;
    onTestFinished(() => {
      socket.destroy();
    });
  });
  await eventually(() => open === count);
  const needle = (socket: Socket): string =>
    tcpSearches({ address: '127.0.0.1', port: socket.localPort ?? 0 }, { address: '127.0.0.1', port }).find(
      (search) => search.table === 'tcp',
    )?.ends ?? '';
  // Other connections of this host come and go while the table is read, so that one read may miss some.
  const owners = new Map<string, number>();
  const deadline = performance.now() + 50_000;
  while (owners.size < count && performance.now() < deadline) {
    const table = await readTcpTable('tcp');
    for (const ends of clients.map(needle)) {
      const owner = tcpOwner(table, ends);
      if (owner !== undefined) owners.set(ends, owner);
    }
  }
  expect(owners.size).toBe(count);
  expect(new Set(owners.values())).toEqual(new Set([uid]));
});
