import { spawnSync } from 'node:child_process';
import { FaultlineError } from '../base/error.ts';

/** Where the balancer listens, and before which servers. */
export interface NginxPorts {
  readonly port: number;
  readonly servers: readonly number[];
}

/**
 * A configuration of nginx that leaves everything to its defaults but where files are. It needs no root, and writes
 * into the folder that `-p` names and nowhere else.
 *
 * One process: with a master, a kill of that one would leave the workers behind.
 */
export function nginxConfig({ port, servers }: NginxPorts): string {
  return `daemon off;
master_process off;
pid nginx.pid;
error_log error.log;

events {
  worker_connections 1024;
}

http {
  access_log off;
  client_body_temp_path body;
  proxy_temp_path proxy;
  fastcgi_temp_path fastcgi;
  uwsgi_temp_path uwsgi;
  scgi_temp_path scgi;

  upstream fizzbuzz {
${servers.map((server) => `    server 127.0.0.1:${server};\n`).join('')}  }

  server {
    listen 127.0.0.1:${port};
    location / {
      proxy_pass http://fizzbuzz;
    }
  }
}
`;
}

/** Debian keeps it where a normal user's PATH does not lead. */
const places = ['nginx', '/usr/sbin/nginx', '/usr/local/sbin/nginx', '/usr/local/nginx/sbin/nginx'] as const;

/**
 * The nginx of this host.
 *
 * @throws {FaultlineError} HOST_UNSUPPORTED
 */
export function findNginx(): string {
  const found = places.find((place) => spawnSync(place, ['-v'], { stdio: 'ignore' }).status === 0);
  if (found !== undefined) return found;
  throw new FaultlineError('HOST_UNSUPPORTED', 'there is no nginx on this host', {
    hint: 'install it (Debian: nginx-light), or leave --nginx out: the demo brings a balancer of its own',
  });
}

/** `setpriv` of util-linux has the kernel kill nginx when its parent has died; without it nginx runs as it is. */
export function nginxCommand(nginx: string, folder: string, config: string): readonly [string, ...string[]] {
  const run = [nginx, '-p', folder, '-e', 'error.log', '-c', config] as const;
  const hasSetpriv = spawnSync('setpriv', ['--pdeathsig', 'KILL', 'true'], { stdio: 'ignore' }).status === 0;
  return hasSetpriv ? ['setpriv', '--pdeathsig', 'KILL', ...run] : [...run];
}
