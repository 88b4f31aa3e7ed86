/** How the service is to run; every default is filled in. */
export interface ServerOptions {
  readonly stateDir: string | undefined;
  readonly logLevel: 'debug' | 'info' | 'warn' | 'error';
  /** The program and arguments that run a keeper. */
  readonly program: readonly string[];
  /** The address to listen on: `127.0.0.1` unless the user says otherwise. */
  readonly host: string;
  /** 0 is any free port. */
  readonly port: number;
  /** Where the API is when there is a certificate. */
  readonly httpsPort: number;
  readonly certFile: string | undefined;
  readonly keyFile: string | undefined;
  /** Who may have signed clients' certificates; with it each client must have one. */
  readonly caFile: string | undefined;
  /** Holds the token of the role `attack`. */
  readonly tokenFile: string | undefined;
  /** Holds the token of the role `read`. */
  readonly readTokenFile: string | undefined;
  readonly allowRecoverCmd: boolean;
  /** Watch deaths, and keep the last of them. */
  readonly watchDeaths: boolean;
  readonly maxBodyBytes: number;
  /** Requests a second from one caller. */
  readonly maxRate: number;
  /** Attacks and recoveries at a time; others wait their turn. */
  readonly maxConcurrency: number;
  /** Open connections; more are refused. */
  readonly maxConnections: number;
}
