import type { FastifyInstance } from 'fastify';
import { FaultlineError } from '../../base/error.ts';

/** How deep a document may be nested. No request that means anything has more than a few levels. */
const mostLevels = 32;

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const OPENERS: ReadonlySet<number> = new Set([0x5b, 0x7b]);
const CLOSERS: ReadonlySet<number> = new Set([0x5d, 0x7d]);

/** The index after the string that begins at `start`, or the end of a text that does not end it. */
function afterString(text: string, start: number): number {
  for (let index = start + 1; index < text.length; index += 1) {
    const character = text.charCodeAt(index);
    if (character === BACKSLASH) index += 1;
    else if (character === QUOTE) return index + 1;
  }
  return text.length;
}

/** Is a text that may be JSON nested deeper than so many levels? */
export function isDeeper(text: string, levels: number): boolean {
  let depth = 0;
  for (let index = 0; index < text.length; ) {
    const character = text.charCodeAt(index);
    if (character === QUOTE) {
      index = afterString(text, index);
      continue;
    }
    if (OPENERS.has(character)) depth += 1;
    else if (CLOSERS.has(character)) depth -= 1;
    if (depth > levels) return true;
    index += 1;
  }
  return false;
}

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
