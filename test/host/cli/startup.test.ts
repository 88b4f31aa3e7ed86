import { readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, test } from 'vitest';
import { cli, tempFolder, tempStateDir } from '../../support/cli.ts';
import { startServer } from '../../support/server.ts';
import { sleeper } from '../targets/processes.ts';

/*
 * What a command loads. Most of a short command is starting up, so what it does not need it must not read.
 */

/** Loaded before the command; writes down what is loaded after it. */
const recorder = `
const { appendFileSync } = require('node:fs');
const Module = require('node:module');
const load = Module._load;
Module._load = function (request, ...rest) {
  appendFileSync(process.env.LOADED_FILE, request + '\\n');
  return load.call(this, request, ...rest);
};
`;

async function loadedBy(args: readonly string[], stateDir: string): Promise<readonly string[]> {
  const folder = tempFolder();
  const hook = path.join(folder, 'recorder.cjs');
  const file = path.join(folder, 'loaded');
  writeFileSync(hook, recorder);
  const ran = await cli(args, { stateDir, env: { NODE_OPTIONS: `--require=${hook}`, LOADED_FILE: file } });
  expect(ran, ran.stderr).toMatchObject({ code: 0 });
  return readFileSync(file, 'utf8').split('\n');
}

const network = /^(?:node:)?(?:http|https|http2|net|tls|dns|crypto)$/;
const native = /koffi|sqlite/;
const ofService = /fastify|server|prom-client|croner|swagger|pino/;

describe('what is loaded', () => {
  test('for an attack here: the bindings and the journal, nothing of a network or of the service', async () => {
    const { pid } = await sleeper('fl-load');
    const loaded = await loadedBy(['attack', 'process', 'kill', '-p', String(pid)], tempStateDir());
    expect(loaded.filter((name) => network.test(name))).toEqual([]);
    expect(loaded.filter((name) => ofService.test(name))).toEqual([]);
    expect(loaded.filter((name) => native.test(name)).length).toBeGreaterThan(0);
  });

  test('for the meaning of an exit code: tables, and nothing of the program', async () => {
    const loaded = await loadedBy(['why', '137'], tempStateDir());
    expect(loaded.filter((name) => /why-code/.test(name))).toHaveLength(1);
    const program = /(?:^|\/)main\.js$/;
    expect(loaded.filter((name) => program.test(name) || native.test(name) || network.test(name))).toEqual([]);
  });

  test('for an attack through a service: the way there, and nothing that acts here', async () => {
    const server = await startServer({ stateDir: tempStateDir() });
    const { pid } = await sleeper('fl-load');
    const attack = ['attack', 'process', 'kill', '-p', String(pid), '--server', server.url];
    const loaded = await loadedBy(attack, tempStateDir());
    expect(loaded).toContain('node:http');
    expect(loaded.filter((name) => native.test(name) || ofService.test(name) || /https|tls/.test(name))).toEqual([]);
  });
});
