import { fastify } from 'fastify';
import { expect, test } from 'vitest';
import { errorCodes } from '../../base/error-codes.ts';
import { fromFastify } from '../request-error.ts';
import { addJsonBody } from './json-body.ts';

async function answer(body: string, type = 'application/json', method: 'POST' | 'DELETE' = 'POST') {
  const app = fastify();
  app.setErrorHandler((error, _, reply) => {
    const { code, message } = fromFastify(error);
    void reply.status(errorCodes[code].http).send({ code, message });
  });
  addJsonBody(app);
  app.route({ method, url: '/', handler: (request) => ({ got: request.body ?? 'nothing' }) });
  const { statusCode, payload } = await app.inject({ method, url: '/', headers: { 'content-type': type }, body });
  await app.close();
  return { statusCode, payload };
}

test.each(['application/json', 'application/json; charset=utf-8', 'Application/JSON'])('%s is read', async (type) => {
  expect(await answer('{"a":1}', type)).toEqual({ statusCode: 200, payload: '{"got":{"a":1}}' });
});

test.each(['text/plain', 'application/x-www-form-urlencoded', 'multipart/form-data; boundary=x', 'application/jsonx'])(
  '%s, which the form of a web page could send, is not',
  async (type) => {
    expect((await answer('{"a":1}', type)).statusCode).toBe(415);
  },
);

test('a body without a type is not read', async () => {
  const app = fastify();
  addJsonBody(app);
  app.post('/', () => 'read');
  expect((await app.inject({ method: 'POST', url: '/', body: Buffer.from('{}') })).statusCode).toBe(415);
  await app.close();
});

test('of a key that comes twice the last one counts', async () => {
  expect((await answer('{"a":1,"a":2}')).payload).toBe('{"got":{"a":2}}');
});

test.each([
  '{"__proto__":{"admin":true}}',
  String.raw`{"__proto\u005f_":{"admin":true}}`,
  '{"a":[{"__proto__":1}]}',
  '{"constructor":{"prototype":{"admin":true}}}',
  '{',
  '{"a":1} {"a":2}',
  '\u0000',
])('%j is refused', async (body) => {
  expect((await answer(body)).statusCode).toBe(400);
  expect('admin' in {}).toBe(false);
});

test('a hundred thousand levels do not end the service', async () => {
  const { statusCode, payload } = await answer('['.repeat(100_000) + ']'.repeat(100_000));
  expect([statusCode, payload]).toEqual([400, expect.stringContaining('nested deeper')]);
});

test('DELETE with a type and no body', async () => {
  expect(await answer('', 'application/json', 'DELETE')).toEqual({ statusCode: 200, payload: '{"got":"nothing"}' });
});
