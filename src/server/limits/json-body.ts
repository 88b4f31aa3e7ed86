import type { FastifyInstance } from 'fastify';
import { FaultlineError } from '../../base/error.ts';
import { isDeeper } from './nesting.ts';

/** How deep a document may be nested. No request that means anything has more than a few levels. */
const mostLevels = 32;

/**
 * The only bodies there are: JSON, `content-type: application/json`. Any other is what a form of a web page can send
 * without asking first.
 *
 * - An empty body is none: clients name the type even where they send nothing, as with DELETE.
 * - Keys that would change the prototype of an object are refused, and of a key that comes twice the last one counts.
 * - A document that is nested so deep that printing it would overflow the stack is refused before it is parsed.
 */
export function addJsonBody(app: FastifyInstance): void {
  const parse = app.getDefaultJsonParser('error', 'error');
  app.removeAllContentTypeParsers();
  app.addContentTypeParser<string>('application/json', { parseAs: 'string' }, (request, body, done) => {
    if (body === '') {
      done(null, undefined);
      return;
    }
    if (isDeeper(body, mostLevels)) {
      done(new FaultlineError('ARGUMENT_INVALID', `the body is nested deeper than ${mostLevels} levels`), undefined);
      return;
    }
    void parse(request, body, done);
  });
  // Fastify closes the connection under whoever is still sending a body that is too large, and they may see a reset in
  // place of the answer. Left open, the rest is read and thrown away, for as long as a request may take to arrive.
  app.addHook('onSend', (_request, reply, _payload, done) => {
    if (reply.statusCode === 413) reply.removeHeader('connection');
    done();
  });
}
