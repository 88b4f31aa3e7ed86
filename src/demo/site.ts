import { appendFileSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { request } from 'node:http';
import path from 'node:path';
import { apiPath, apiServerName, runApiServer } from './api-server.ts';
import { balancerName, runBalancer } from './balancer/balancer.ts';
import { type Children, type Service, supervise } from './children.ts';
import { findNginx, nginxCommand, nginxConfig } from './nginx.ts';
import { nameProcess } from './name.ts';
import { endWithParent } from './orphan.ts';
import { freePorts, portAnswers } from './ports.ts';

/*
 * The service of the demo, in processes of its own: a supervisor, which this is, and below it two API servers and a
 * balancer. None of them outlives the one above it.
 */

/** What the supervisor is told, as JSON. */
export interface SiteOrder {
  readonly parentPid: number;
  /** Of the demo's own, with everything that it writes; made by the supervisor, and removed at the end. */
  readonly folder: string;
  /** How to run this very program: `[node, script]`. */
  readonly program: readonly string[];
  /** The real nginx in place of our balancer. */
  readonly nginx: boolean;
}

/** What the supervisor says once, as a line of JSON, when everything answers. */
export interface SiteReady {
  /** Of the balancer: `http://127.0.0.1:34567` */
  readonly url: string;
}

/** What a process below the supervisor is told. */
interface ServerOrder {
  readonly parentPid: number;
  readonly port: number;
  /** Those behind a balancer. */
  readonly servers: readonly number[];
  /** Whose it is: shows in its command line. */
  readonly folder: string;
}

const restartMs = 1_000;

function ownService({ program, folder }: SiteOrder, name: string, port: number, servers: readonly number[]): Service {
  const [interpreter = process.execPath, ...script] = program;
  const told = JSON.stringify({ parentPid: process.pid, port, servers, folder } satisfies ServerOrder);
  return { name, argv: [interpreter, ...script, 'demo-program', name, told], restartMs };
}

function nginxService(folder: string, port: number, servers: readonly number[]): Service {
  const prefix = path.join(folder, 'nginx');
  mkdirSync(prefix, { recursive: true });
  writeFileSync(path.join(prefix, 'nginx.conf'), nginxConfig({ port, servers }));
  return { name: 'nginx', argv: nginxCommand(findNginx(), prefix, 'nginx.conf'), restartMs };
}

/** Starts all of it. @returns the balancer's address, when everything answers */
async function startServices(order: SiteOrder, children: Children): Promise<string> {
  const { folder, nginx } = order;
  const [port = 0, ...servers] = await freePorts(3);
  for (const server of servers) children.start(ownService(order, apiServerName, server, []));
  children.start(nginx ? nginxService(folder, port, servers) : ownService(order, balancerName, port, servers));
  await Promise.all([port, ...servers].map(portAnswers));
  const url = `http://127.0.0.1:${port}`;
  await warmUp(`${url}${apiPath}?number=1`);
  return url;
}

/** Runs the service until this process is told to end, or its parent has ended. */
async function runSite(order: SiteOrder, say: (line: string) => void): Promise<void> {
  const { parentPid, folder } = order;
  // By this name it is protected from every attack.
  nameProcess('faultline-demo');
  const log = path.join(folder, 'fizzbuzz.log');
  const children = supervise(({ name }, exitCode) => {
    appendFileSync(log, `${new Date().toISOString()} ${name} has ended, exit code ${exitCode}; it is started again\n`);
  });
  async function end(): Promise<void> {
    // What is below must be gone before the folder is.
    await children.end();
    process.exit();
  }
  process.stdin.on('end', () => void end());
  process.stdin.on('error', () => void end());
  process.stdin.resume();
  if (process.ppid !== parentPid) await end();
  mkdirSync(folder, { mode: 0o700 });
  // However it comes to exit: what is asked of a service while it is ended fails, and so does this.
  process.on('exit', () => rmSync(folder, { recursive: true, force: true }));
  try {
    say(JSON.stringify({ url: await startServices(order, children) } satisfies SiteReady));
  } catch (error) {
    await children.end();
    throw error;
  }
}

function answered(url: string, method: string): Promise<void> {
  return new Promise((resolve, reject) => {
    const asked = request(url, { method }, (answer) => answer.resume().on('end', resolve).on('error', reject));
    asked.on('error', reject).end();
  });
}

/** The first answers of programs that have just started are slow, which is not what is to be shown. */
async function warmUp(url: string): Promise<void> {
  for (let round = 0; round < 3; round++) await Promise.all(Array.from({ length: 8 }, () => answered(url, 'GET')));
}

/** @param say prints a line */
type Program = (order: string, say: (line: string) => void) => Promise<unknown>;

/** A process of the site. Whoever gave the order made it with this version of the program: it is as it should be. */
function server(run: (order: ServerOrder) => Promise<unknown>): Program {
  return async (order) => {
    const told = JSON.parse(order) as ServerOrder;
    endWithParent(told.parentPid);
    await run(told);
  };
}

/** The programs of the demo by their names. */
export const demoPrograms: Readonly<Record<string, Program>> = {
  site: (order, say) => runSite(JSON.parse(order) as SiteOrder, say),
  [apiServerName]: server(({ port }) => runApiServer(port)),
  [balancerName]: server(({ port, servers }) => runBalancer(port, servers)),
};
