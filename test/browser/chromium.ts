import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { once } from 'node:events';
import type { Readable, Writable } from 'node:stream';

/*
 * A real browser, driven over the pipe of its DevTools protocol (`--remote-debugging-pipe`): messages of JSON, each
 * ended by a zero byte. https://chromedevtools.github.io/devtools-protocol/
 */

type Message = Readonly<Record<string, unknown>>;

interface Waiting {
  readonly resolve: (result: Message) => void;
  readonly reject: (error: Error) => void;
}

/** An open page. */
export interface Page {
  /** Ask the page's target: `Page.navigate`, … */
  readonly send: (method: string, params?: Message) => Promise<Message>;
  /** The value of an expression, which may be a promise. */
  readonly evaluate: (expression: string) => Promise<unknown>;
  /** What it asked the network for, but for the document itself. */
  readonly requests: readonly string[];
  /** Messages of the console, exceptions, and what a policy has forbidden. */
  readonly complaints: readonly string[];
  readonly close: () => Promise<void>;
}

export interface View {
  readonly width: number;
  readonly height?: number;
  readonly theme?: 'light' | 'dark';
}

export interface Chromium {
  readonly open: (url: string, view: View) => Promise<Page>;
  readonly close: () => Promise<void>;
}

/** The browser's program; undefined: there is none, and tests of pages are skipped. */
export const chromiumProgram: string | undefined = [
  process.env['FAULTLINE_CHROMIUM'],
  ...['chromium', 'chromium-browser', 'google-chrome'].map((name) => `/usr/bin/${name}`),
].find((file) => file !== undefined && existsSync(file));

const startingFlags = [
  '--headless',
  '--remote-debugging-pipe',
  '--no-first-run',
  '--disable-gpu',
  '--disable-extensions',
  '--disable-background-networking',
  '--disable-component-update',
  '--force-device-scale-factor=1',
  '--hide-scrollbars',
  // Its own sandbox needs privileges that containers do not give; the pages are ours.
  '--no-sandbox',
];

/** The two ends of the protocol. */
function connection(child: ChildProcess): {
  readonly send: (method: string, params: Message, sessionId?: string) => Promise<Message>;
  readonly listen: (sessionId: string, listener: (method: string, params: Message) => void) => void;
} {
  const output = child.stdio[3] as Writable;
  const input = child.stdio[4] as Readable;
  const waiting = new Map<number, Waiting>();
  const listeners = new Map<string, (method: string, params: Message) => void>();
  let last = 0;
  let rest = '';
  input.setEncoding('utf8').on('data', (text: string) => {
    const messages = (rest + text).split('\0');
    rest = messages.pop() ?? '';
    for (const message of messages) take(JSON.parse(message) as Message);
  });
  function take(message: Message): void {
    const { id, result, error, method, params, sessionId } = message;
    if (typeof id === 'number') {
      const asked = waiting.get(id);
      waiting.delete(id);
      if (error === undefined) asked?.resolve(result as Message);
      else asked?.reject(new Error(JSON.stringify(error)));
    } else listeners.get(String(sessionId))?.(String(method), params as Message);
  }
  const gone = (): void => {
    for (const { reject } of waiting.values()) reject(new Error('the browser has ended'));
    waiting.clear();
  };
  child.once('exit', gone);
  output.on('error', gone);
  return {
    listen: (sessionId, listener) => listeners.set(sessionId, listener),
    send: (method, params, sessionId) =>
      new Promise((resolve, reject) => {
        last += 1;
        waiting.set(last, { resolve, reject });
        output.write(`${JSON.stringify({ id: last, method, params, ...(sessionId ? { sessionId } : {}) })}\0`);
      }),
  };
}

type Connection = ReturnType<typeof connection>;

/** What a page complains about, in words; undefined: nothing. */
function complaint(method: string, params: Message): string | undefined {
  if (method === 'Runtime.exceptionThrown' || method === 'Runtime.consoleAPICalled') return JSON.stringify(params);
  if (method === 'Log.entryAdded') return JSON.stringify(params['entry']);
  return undefined;
}

async function openPage({ send, listen }: Connection, url: string, view: View): Promise<Page> {
  const { targetId } = await send('Target.createTarget', { url: 'about:blank' });
  const attached = await send('Target.attachToTarget', { targetId, flatten: true });
  const sessionId = String(attached['sessionId']);
  const ask: Page['send'] = (method, params = {}) => send(method, params, sessionId);
  const requests: string[] = [];
  const complaints: string[] = [];
  const loaded = new Promise<void>((resolve) => {
    listen(sessionId, (method, params) => {
      if (method === 'Page.loadEventFired') resolve();
      if (method === 'Network.requestWillBeSent') {
        const asked = (params['request'] as { readonly url: string }).url;
        if (asked !== url) requests.push(asked);
      }
      const said = complaint(method, params);
      if (said !== undefined) complaints.push(said);
    });
  });
  for (const domain of ['Page', 'Runtime', 'Log', 'Network']) await ask(`${domain}.enable`);
  const { width, height = 900, theme = 'light' } = view;
  const mobile = width < 600;
  await ask('Emulation.setDeviceMetricsOverride', { width, height, deviceScaleFactor: 1, mobile });
  await ask('Emulation.setEmulatedMedia', { features: [{ name: 'prefers-color-scheme', value: theme }] });
  await ask('Page.navigate', { url });
  await loaded;
  return {
    requests,
    complaints,
    send: ask,
    evaluate: async (expression) => {
      const answer = await ask('Runtime.evaluate', { expression, returnByValue: true, awaitPromise: true });
      if (answer['exceptionDetails'] !== undefined) throw new Error(JSON.stringify(answer['exceptionDetails']));
      return (answer['result'] as Message)['value'];
    },
    close: async () => {
      await send('Target.closeTarget', { targetId });
    },
  };
}

/** Start a browser of its own, with a profile that goes when it is closed. */
export function startChromium(program: string): Chromium {
  const profile = mkdtempSync(path.join(tmpdir(), 'faultline-browser.'));
  const child = spawn(program, [...startingFlags, `--user-data-dir=${profile}`], {
    stdio: ['ignore', 'ignore', 'ignore', 'pipe', 'pipe'],
    // Its folders for crashes and settings go with the profile, whoever runs it.
    env: { ...process.env, HOME: profile, XDG_CONFIG_HOME: profile, XDG_CACHE_HOME: profile },
    detached: true,
  });
  const ended = once(child, 'exit');
  const pipe = connection(child);
  const close = async (): Promise<void> => {
    const closing = pipe.send('Browser.close', {}).catch(() => undefined);
    const late = setTimeout(() => endGroup(child), 10_000);
    await Promise.all([closing, ended]);
    clearTimeout(late);
    // What the browser has started, and has outlived it.
    endGroup(child);
    rmSync(profile, { recursive: true, force: true, maxRetries: 10, retryDelay: 200 });
  };
  return { open: (url, view) => openPage(pipe, url, view), close };
}

/** The browser and its children, of which it is the leader. */
function endGroup({ pid }: ChildProcess): void {
  try {
    if (pid !== undefined) process.kill(-pid, 'SIGKILL');
  } catch {
    // nobody is left
  }
}
