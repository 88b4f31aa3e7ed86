import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { gunzip } from 'node:zlib';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';

/*
 * A page to read the API with: Swagger UI, from our own files and with nothing from anywhere else. It holds no script
 * in itself, so that the policy can forbid all that are.
 */

const html = `<!doctype html>
<html lang="en">
  <head>
    <meta charset="utf-8">
    <meta name="viewport" content="width=device-width, initial-scale=1">
    <title>Faultline API</title>
    <link rel="icon" href="data:,">
    <link rel="stylesheet" href="/docs/swagger-ui.css">
  </head>
  <body>
    <div id="swagger-ui"></div>
    <script src="/docs/swagger-ui-bundle.js"></script>
    <script src="/docs/start.js"></script>
  </body>
</html>
`;

const start = `SwaggerUIBundle({
  url: '/openapi.json',
  dom_id: '#swagger-ui',
  deepLinking: true,
  docExpansion: 'list',
  defaultModelsExpandDepth: 0,
  validatorUrl: null,
});
`;

const policy = [
  "default-src 'none'",
  "script-src 'self'",
  // Swagger UI sets styles on its elements.
  "style-src 'self' 'unsafe-inline'",
  "img-src 'self' data:",
  "connect-src 'self'",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join('; ');

const headers = {
  'content-security-policy': policy,
  'x-content-type-options': 'nosniff',
  'referrer-policy': 'no-referrer',
};

/** Beside the bundle, or, when the sources run as they are, where the build has put them. */
const folders = ['swagger-ui', '../../../dist/swagger-ui'];

/** In the bundle this is the path of a file, and in the sources a URL. */
function here(): string {
  const url = import.meta.url; // written out, since the build puts another text in its place
  return path.dirname(url.startsWith('file:') ? fileURLToPath(url) : url);
}

async function compressed(name: string): Promise<Buffer> {
  const files = folders.map((folder) => path.join(here(), folder, `${name}.gz`));
  const found = await Promise.allSettled(files.map((file) => readFile(file)));
  const read = found.find((one) => one.status === 'fulfilled');
  if (read !== undefined) return read.value;
  throw new Error(`${name} is missing: the package is not whole`, { cause: found[0] });
}

async function sendFile(name: string, type: string, request: FastifyRequest, reply: FastifyReply): Promise<void> {
  const body = await compressed(name);
  void reply.headers({ ...headers, 'cache-control': 'public, max-age=3600', vary: 'accept-encoding' }).type(type);
  const takesGzip = /\bgzip\b/.test(request.headers['accept-encoding']?.toString() ?? '');
  if (takesGzip) await reply.header('content-encoding', 'gzip').send(body);
  else await reply.send(await promisify(gunzip)(body));
}

const javascript = 'text/javascript; charset=utf-8';

/**
 * `/docs`, and where chaosd has its page. They are for anybody, and so is the document that they show: neither tells
 * anything of the host, and a browser that opens them has no token to send.
 */
export function addPage(app: FastifyInstance): void {
  const options = { config: { role: 'nobody' }, schema: { hide: true } } as const;
  const send = (text: string, type: string) => (_request: FastifyRequest, reply: FastifyReply) =>
    reply.headers(headers).type(type).send(text);
  for (const url of ['/docs', '/docs/']) app.get(url, options, send(html, 'text/html; charset=utf-8'));
  app.get('/docs/start.js', options, send(start, javascript));
  app.get('/docs/swagger-ui-bundle.js', options, (request, reply) =>
    sendFile('swagger-ui-bundle.js', javascript, request, reply),
  );
  app.get('/docs/swagger-ui.css', options, (request, reply) =>
    sendFile('swagger-ui.css', 'text/css; charset=utf-8', request, reply),
  );
  for (const url of ['/swagger', '/swagger/', '/swagger/index.html']) {
    app.get(url, options, (_request, reply) => reply.redirect('/docs'));
  }
}
