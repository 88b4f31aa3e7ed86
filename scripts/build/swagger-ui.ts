import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { constants, gzipSync } from 'node:zlib';

/** What the page that shows the API needs of Swagger UI; its other files are the same again for other uses. */
export const swaggerUiFiles = ['swagger-ui-bundle.js', 'swagger-ui.css'].map(
  (name) => `node_modules/swagger-ui-dist/${name}`,
);

/** Written compressed, as browsers want it: a quarter of the size, and nothing to compress while the service runs. */
export function writeSwaggerUi(root: string, folder: string): void {
  mkdirSync(folder, { recursive: true });
  for (const file of swaggerUiFiles) {
    const compressed = gzipSync(readFileSync(path.join(root, file)), { level: constants.Z_BEST_COMPRESSION });
    writeFileSync(path.join(folder, `${path.basename(file)}.gz`), compressed);
  }
}
