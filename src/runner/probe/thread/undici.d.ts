/*
 * The parts of undici that a probe needs, in the files that it keeps them in: all of it, with `fetch`, WebSocket and
 * caches, would take a tenth of a second to load. Its types are those of the whole.
 */

declare module 'undici/lib/dispatcher/client.js' {
  import { Client } from 'undici';
  export = Client;
}

declare module 'undici/lib/core/connect.js' {
  import { buildConnector } from 'undici';
  export = buildConnector;
}
