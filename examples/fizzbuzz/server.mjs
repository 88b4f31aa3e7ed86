// An API server of FizzBuzz as a service: node server.mjs PORT
//
// GET and POST /api/v1/fizzbuzz?number=15 say what a child says at 15. To read takes 20 ms; to write takes 100 ms, as
// if something were written down.
import { createServer } from 'node:http';
import { pathToFileURL } from 'node:url';

const workMs = { GET: 20, POST: 100 };

function fizzBuzz(number) {
  const said = `${number % 3 === 0 ? 'Fizz' : ''}${number % 5 === 0 ? 'Buzz' : ''}`;
  return said === '' ? String(number) : said;
}

/** Listens on a port of 127.0.0.1. `onRequest` is told of each request: this is where a server may go wrong. */
export function serve(port, onRequest = () => undefined) {
  // The kernel's name of the process, by which `--process fizzbuzz-api` finds it.
  process.title = 'fizzbuzz-api';
  const server = createServer((request, response) => {
    request.resume();
    const url = new URL(request.url ?? '/', 'http://localhost');
    const number = Number(url.searchParams.get('number') ?? Number.NaN);
    const answer = (status, body) => {
      response.writeHead(status, { 'content-type': 'application/json' });
      response.end(`${JSON.stringify(body)}\n`);
    };
    if (url.pathname !== '/api/v1/fizzbuzz' || !Number.isSafeInteger(number)) {
      answer(400, { error: 'ask for /api/v1/fizzbuzz?number=15' });
      return;
    }
    onRequest(number);
    setTimeout(() => answer(200, { number, answer: fizzBuzz(number) }), workMs[request.method] ?? 20);
  });
  server.listen(port, '127.0.0.1', () => {
    console.log(`FizzBuzz API is up on port ${server.address().port}, process ${process.pid}`);
  });
}

if (import.meta.url === pathToFileURL(process.argv[1]).href) serve(Number(process.argv[2]));
