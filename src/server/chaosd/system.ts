import type { FastifyPluginAsync } from 'fastify';
import { integer, object, string } from '../../base/schema-types.ts';
import { version } from '../../base/version.ts';

const healthSchema = object(
  { status: integer({ description: '0: it is well' }), message: string() },
  { description: 'It answers' },
);

const versionSchema = object(
  {
    gitVersion: string({ description: 'The version of Faultline, with a v before it' }),
    gitCommit: string({ description: 'Empty: the package does not say' }),
    buildDate: string({ description: 'Empty: the package does not say' }),
    goVersion: string({ description: 'Empty: no Go is in it' }),
    compiler: string({ description: 'What runs it: Node.js and its version' }),
    platform: string({ description: "The system, in Go's words: linux/amd64" }),
    product: string({ description: 'faultline, where chaosd has no such field' }),
  },
  { description: 'Which version it is' },
);

/** Go's words for the architectures, which chaosd's clients know. */
const goArchitectures: Readonly<Record<string, string>> = { x64: 'amd64', arm64: 'arm64' };

const versionAnswer = Object.freeze({
  gitVersion: `v${version}`,
  gitCommit: '',
  buildDate: '',
  goVersion: '',
  compiler: `Node.js ${process.versions.node}`,
  platform: `${process.platform}/${goArchitectures[process.arch] ?? process.arch}`,
  product: 'faultline',
});

/** `/system/…`, which anybody may ask: it is all that the plain port answers when there is a certificate. */
export const systemRoutes: FastifyPluginAsync = (app) => {
  app.get(
    '/system/health',
    {
      config: { role: 'nobody' },
      schema: { tags: ['chaosd'], summary: 'Is the service well?', response: { 200: healthSchema } },
    },
    () => ({ status: 0, message: '' }),
  );
  app.get(
    '/system/version',
    {
      config: { role: 'nobody' },
      schema: { tags: ['chaosd'], summary: 'Which version is it?', response: { 200: versionSchema } },
    },
    () => versionAnswer,
  );
  return Promise.resolve();
};
