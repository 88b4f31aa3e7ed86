import { describe, expect, test } from 'vitest';
import { parseAttack } from '../../../src/experiment/request.ts';
import { insertEvent } from '../../../src/store/events.ts';
import { openStore } from '../../../src/store/store.ts';
import { cli, tempStateDir, uidIn } from '../../support/cli.ts';
import { type HeardEvent, hear } from '../../support/event-stream.ts';
import { eventually } from '../../support/eventually.ts';
import { request } from '../../support/http-requests.ts';
import { type InProcessService, startInProcess } from '../../support/in-process-service.ts';
import { sleeper } from '../targets/processes.ts';

const at = (service: InProcessService, query = ''): string => `${service.url}/api/v1/events${query}`;
const idsOf = (events: readonly HeardEvent[]): readonly number[] => events.map(({ id }) => id);
const typesOf = (events: readonly HeardEvent[]): readonly string[] => events.map(({ type }) => type);
const upTo = (last: number, first = 1): readonly number[] =>
  Array.from({ length: last - first + 1 }, (_, index) => first + index);

/** Another writer of the same journal, with a connection of its own as another process has. */
function otherWriter(stateDir: string): {
  write(type: string, count: number, padding?: number): Promise<void>;
  close(): void;
} {
  const store = openStore(stateDir);
  let written = 0;
  return {
    write: (type, count, padding = 0) =>
      store.write(() => {
        for (let index = 0; index < count; index++) {
          const data = { n: written, ...(padding === 0 ? {} : { pad: 'x'.repeat(padding) }) };
          insertEvent(store, null, { at: Date.now(), bootMs: 1, type, data });
          written += 1;
        }
      }),
    close: () => {
      store.close();
    },
  };
}

/** Write what waits for clients that do not read until something has come of it. */
async function writeUntil(what: string, write: () => Promise<void>, done: () => boolean): Promise<void> {
  for (let round = 0; round < 60 && !done(); round++) {
    await write();
    await new Promise((resolve) => {
      setTimeout(resolve, 20);
    });
  }
  await eventually(what, done);
}

const life = [
  'planned',
  'injecting',
  'effect.intended',
  'effect.applied',
  'verdict',
  'injected',
  'recovering',
  'effect.releasing',
  'effect.undone',
  'verdict',
  'recovered',
];

describe('the event stream', () => {
  test('tells what commands in other processes do, in order, each once', async () => {
    const stateDir = tempStateDir();
    const service = await startInProcess(stateDir);
    const hearing = await hear(at(service));
    expect(hearing.status).toBe(200);
    expect(hearing.response.headers['content-type']).toBe('text/event-stream; charset=utf-8');
    const { pid } = await sleeper('fl-stream');
    const attack = await cli(['attack', 'process', 'stop', '-p', String(pid)], { stateDir });
    const uid = uidIn(attack.stdout);
    await cli(['recover', uid], { stateDir });
    await eventually('it is recovered', () => typesOf(hearing.events).includes('recovered'));
    expect(typesOf(hearing.events)).toEqual(life);
    expect(idsOf(hearing.events)).toEqual(upTo(life.length));
    expect(hearing.text().startsWith('retry: 2000\n\n')).toBe(true);
    for (const { id, type, data } of hearing.events) {
      expect(data).toMatchObject({ id, type, uid, kind: 'process', action: 'stop' });
      expect(new Date(data.at).toISOString()).toBe(data.at);
      expect(data.bootMs).toBeGreaterThan(0);
    }
    const injected = hearing.events.find(({ type }) => type === 'injected');
    expect(injected?.data.data).toMatchObject({ verdict: 'confirmed' });
  });

  test('tells what the service itself does, and what belongs to no injection', async () => {
    const stateDir = tempStateDir();
    const service = await startInProcess(stateDir);
    const hearing = await hear(at(service));
    const { pid } = await sleeper('fl-ev-own');
    const request = await parseAttack('process', 'stop', { uid: 'mine' }, { process: String(pid) });
    await service.engine.attack(request);
    await service.engine.halt('a test');
    await service.engine.releaseHalt();
    await eventually('it is released', () => typesOf(hearing.events).includes('released'));
    expect(typesOf(hearing.events)).toEqual([...life.slice(0, 6), 'halted', ...life.slice(6), 'released']);
    expect(idsOf(hearing.events)).toEqual(upTo(life.length + 2));
    expect(hearing.events[6]?.data).toMatchObject({ uid: null, kind: null, data: { reason: 'a test' } });
  });

  test('many processes write at once: no gap, nothing twice, nothing out of order', async () => {
    const stateDir = tempStateDir();
    const service = await startInProcess(stateDir);
    const hearing = await hear(at(service));
    const targets = await Promise.all(Array.from({ length: 6 }, (_, index) => sleeper(`fl-at-once-${index}`)));
    const attacks = await Promise.all(
      targets.map(({ pid }) => cli(['attack', 'process', 'stop', '-p', String(pid)], { stateDir })),
    );
    await Promise.all(attacks.map(({ stdout }) => cli(['recover', uidIn(stdout)], { stateDir })));
    await eventually('all are recovered', () => hearing.events.filter(({ type }) => type === 'recovered').length === 6);
    expect(idsOf(hearing.events)).toEqual(upTo(6 * life.length));
    for (const { stdout } of attacks) {
      const own = hearing.events.filter(({ data }) => data.uid === uidIn(stdout));
      expect(typesOf(own)).toEqual(life);
    }
  });

  test('a recover command and what it says are not told', async () => {
    const stateDir = tempStateDir();
    const service = await startInProcess(stateDir);
    const hearing = await hear(at(service));
    await sleeper('fl-secret');
    const command = 'pa55word-in-a-name; echo pa55word-in-words; exit 3';
    const args = ['attack', 'process', 'kill', '-p', 'fl-secret', '-r', command, '--uid', 'secretive'];
    await cli(args, { stateDir });
    await cli(['recover', 'secretive'], { stateDir });
    await cli(['recover', 'secretive', '--abandon'], { stateDir });
    await eventually('it is over', () => typesOf(hearing.events).includes('unrecoverable'));
    expect(hearing.text()).toContain('recover-command');
    expect(hearing.text()).toContain('the recover command exited with 3');
    expect(hearing.text()).not.toContain('pa55word');
  });
});

describe('resuming', () => {
  test('connections that break again and again lose nothing and get nothing twice', async () => {
    const stateDir = tempStateDir();
    const service = await startInProcess(stateDir);
    const writer = otherWriter(stateDir);
    const total = 4_000;
    // One that stays, so that the look-out for what is new goes on, later than those who read on from the journal.
    const standing = await hear(at(service));
    const writing = (async () => {
      for (let written = 0; written < total; written += 50) {
        await writer.write('round', 50, 200);
        await new Promise(setImmediate);
      }
    })();
    const got: HeardEvent[] = [];
    while (got.length < total) {
      const last = got.at(-1)?.id ?? 0;
      // By the header as a browser does, and by the query as a script does.
      const hearing =
        last % 2 === 0
          ? await hear(at(service, `?after=${last}`))
          : await hear(at(service, '?after=0'), { 'last-event-id': String(last) });
      const enough = Math.min(50 + (last % 400), total - got.length);
      await eventually('more has come', () => hearing.events.length >= enough);
      hearing.close();
      got.push(...hearing.events);
    }
    await writing;
    writer.close();
    expect(idsOf(got)).toEqual(upTo(total));
    expect(got.map(({ data }) => data.data['n'])).toEqual(upTo(total - 1, 0));
    await eventually('all others are gone', () => service.clients.open === 1);
    await eventually('it has all', () => standing.events.length >= total);
    expect(idsOf(standing.events)).toEqual(upTo(total));
  });

  test('without a place to begin it begins now; one beyond the end is taken for the end', async () => {
    const stateDir = tempStateDir();
    const service = await startInProcess(stateDir);
    const writer = otherWriter(stateDir);
    await writer.write('before', 20);
    const now = await hear(at(service));
    const beyond = await hear(at(service, '?after=999999'));
    const all = await hear(at(service, '?after=0'));
    await writer.write('after', 5);
    writer.close();
    await eventually('all have come', () => [now, beyond, all].every(({ events }) => events.at(-1)?.id === 25));
    expect(idsOf(now.events)).toEqual(upTo(25, 21));
    expect(idsOf(beyond.events)).toEqual(upTo(25, 21));
    expect(idsOf(all.events)).toEqual(upTo(25));
  });
});

describe('what a client asks for', () => {
  test('only one injection, one kind, some types', async () => {
    const stateDir = tempStateDir();
    const service = await startInProcess(stateDir);
    const { pid } = await sleeper('fl-filter');
    const old = await hear(at(service, '?uid=first&type=injected,recovered'));
    for (const uid of ['first', 'second']) {
      await cli(['attack', 'process', 'stop', '-p', String(pid), '--uid', uid], { stateDir });
      await cli(['recover', uid], { stateDir });
    }
    await cli(['halt', '--reason', 'enough'], { stateDir });
    const last = await hear(at(service, '?after=0&type=halted'));
    await eventually('the halt has come', () => last.events.length === 1);
    const asked = {
      '?after=0&uid=second': life,
      '?after=0&kind=process': [...life, ...life],
      '?after=0&kind=noop': [],
      '?after=0&uid=second&type=recovered': ['recovered'],
    };
    for (const [query, types] of Object.entries(asked)) {
      const hearing = await hear(at(service, query));
      await eventually(query, () => hearing.events.length >= types.length);
      expect(typesOf(hearing.events), query).toEqual(types);
    }
    await eventually('both have come', () => old.events.length >= 2);
    expect(old.events.map(({ type, data }) => [type, data.uid])).toEqual([
      ['injected', 'first'],
      ['recovered', 'first'],
    ]);
  });

  test.each([
    ['?after=-1', {}],
    ['?after=9999999999999999', {}],
    ['?after=1&after=2', {}],
    ['?type=', {}],
    ['?type=a,,b', {}],
    ['?uid=%00', {}],
    [`?uid=${'u'.repeat(129)}`, {}],
    ['?kind=Process', {}],
    ['?color=red', {}],
    ['', { 'last-event-id': 'abc' }],
    ['', { 'last-event-id': '1e3' }],
  ])('%s %o is refused in words', async (query, headers) => {
    const service = await startInProcess(tempStateDir());
    const hearing = await hear(at(service, query), headers);
    await eventually('the answer is whole', () => hearing.closed());
    expect(hearing.status).toBe(400);
    expect(service.clients.open).toBe(0);
  });
});

describe('a stream that is left open', () => {
  test('has a sign of life while nothing happens', async () => {
    const service = await startInProcess(tempStateDir(), { heartbeatMs: 20 });
    const hearing = await hear(at(service));
    await eventually('three beats', () => hearing.comments.length >= 3);
    expect(hearing.events).toEqual([]);
  });

  test('is ended with a last word when the service stops, also for who does not read', async () => {
    const stateDir = tempStateDir();
    const service = await startInProcess(stateDir);
    const hearing = await hear(at(service));
    const deaf = await hear(at(service), {}, false);
    await eventually('both are there', () => service.clients.open === 2);
    await service.stop();
    await eventually('it has ended', () => hearing.closed());
    expect(hearing.comments.at(-1)).toBe('the service stops');
    expect(hearing.response.complete).toBe(true);
    expect(service.clients.open).toBe(0);
    deaf.close();
  });

  test('a client that goes is forgotten; more than allowed are refused until one goes', async () => {
    const service = await startInProcess(tempStateDir(), { maxStreams: 3 });
    const hearings = await Promise.all([1, 2, 3].map(() => hear(at(service))));
    const refused = await hear(at(service));
    expect(refused.status).toBe(429);
    expect(hearings.map(({ status }) => status)).toEqual([200, 200, 200]);
    hearings[0]?.close();
    await eventually('it is forgotten', () => service.clients.open === 2);
    expect((await hear(at(service))).status).toBe(200);
  });

  test('HEAD has no stream to wait for', async () => {
    const service = await startInProcess(tempStateDir());
    const answer = await request('HEAD', at(service));
    expect(answer.status).toBe(404);
  });
});

describe('clients that do not read', () => {
  test('one is dropped, in bounded memory, and may come again and resume without loss', async () => {
    const stateDir = tempStateDir();
    const service = await startInProcess(stateDir);
    const writer = otherWriter(stateDir);
    const deaf = await hear(at(service), {}, false);
    let most = 0;
    await writeUntil(
      'it is dropped',
      async () => {
        await writer.write('ballast', 250, 4_000);
        most = Math.max(most, service.buffered());
      },
      () => service.clients.dropped === 1,
    );
    writer.close();
    await eventually('it is forgotten', () => service.clients.open === 0);
    // What its connection took and no more: the rest is in the journal.
    expect(most).toBeLessThan(1024 * 1024);
    const last = service.engine.tail.lastId();
    expect(last * 4_000).toBeGreaterThan(1024 * 1024);
    const again = await hear(at(service), { 'last-event-id': '0' });
    await eventually('it has all', () => again.events.length >= last);
    expect(idsOf(again.events)).toEqual(upTo(last));
    expect(service.clients.dropped).toBe(1);
    deaf.close();
  });

  test('100 clients of which 10 do not read: those are dropped, the others get everything', {
    timeout: 300_000,
  }, async () => {
    const stateDir = tempStateDir();
    const service = await startInProcess(stateDir);
    const writer = otherWriter(stateDir);
    const readers = await Promise.all(Array.from({ length: 90 }, () => hear(at(service, '?type=round'))));
    const deaf = await Promise.all(Array.from({ length: 10 }, () => hear(at(service), {}, false)));
    await eventually('all are there', () => service.clients.open === 100);
    let most = 0;
    let ticks = 0;
    await writeUntil(
      'ten are dropped',
      async () => {
        await writer.write('ballast', 250, 4_000);
        await writer.write('round', 20, 100);
        ticks += 20;
        most = Math.max(most, service.buffered());
      },
      () => service.clients.dropped === 10,
    );
    await eventually('ten are gone', () => service.clients.open === 90);
    await eventually('all ticks have come', () => readers.every(({ events }) => events.length >= ticks));
    const expected = idsOf(readers[0]?.events ?? []);
    expect(expected.length).toBe(ticks);
    expect(expected).toEqual([...new Set(expected)].sort((a, b) => a - b));
    for (const { events } of readers) expect(idsOf(events)).toEqual(expected);
    expect(most).toBeLessThan(100 * 128 * 1024);
    expect(readers.filter((reader) => reader.closed()).length).toBe(0);
    writer.close();
    for (const one of deaf) one.close();
  });
});
