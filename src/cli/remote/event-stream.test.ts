import { IncomingMessage } from 'node:http';
import { Socket } from 'node:net';
import { expect, test } from 'vitest';
import { type HeardEvent, hearEvents, parseEvent } from './event-stream.ts';

test.each<[string, HeardEvent | undefined]>([
  ['id: 7\nevent: death\ndata: {"pid":1}', { type: 'death', id: '7', data: { pid: 1 } }],
  ['event: restart\ndata: {"a: b":"c: d"}', { type: 'restart', id: undefined, data: { 'a: b': 'c: d' } }],
  ['data:[]', { type: 'message', id: undefined, data: [] }],
  ['event: death\ndata: {"pid":', { type: 'death', id: undefined, data: undefined }],
  [':', undefined],
  [': the service stops', undefined],
  ['', undefined],
])('%j', (text, event) => {
  expect(parseEvent(text)).toEqual(event);
});

test('events come in pieces; what is no event of ours ends it', async () => {
  const answer = new IncomingMessage(new Socket());
  const heard: unknown[] = [];
  const over = new Promise<void>((resolve) => {
    hearEvents(answer, { heard: ({ data }) => heard.push(data), ended: resolve });
  });
  for (const piece of ['data: 1\n', '\nda', 'ta: 2\n\n:\n\n', `data: ${'x'.repeat(5 * 1_048_576)}`]) answer.push(piece);
  await over;
  expect(heard).toEqual([1, 2]);
  expect(answer.destroyed).toBe(true);
});
