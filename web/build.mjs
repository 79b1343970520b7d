import { readdir, rename, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const webDir = fileURLToPath(new URL('.', import.meta.url));
const sharedDir = fileURLToPath(new URL('../engine/workflow/', import.meta.url));

/**
 * Builds web/dist when it is missing or older than the page's sources; returns the folder's path.
 * Quick when there is nothing to do (one walk over the sources). Throws when vite is not installed
 * and there is no built page either.
 */
export async function buildWeb() {
  const outDir = join(webDir, 'dist');
  const built = await modifiedAt(join(outDir, 'index.html'));
  const newest = Math.max(await newestIn(webDir), await newestIn(sharedDir));
  if (built >= newest) return outDir;

  const vite = await import('vite').catch(() => null);
  if (vite === null) {
    if (built > 0) return outDir;
    throw new Error('the web page is not built and vite is not installed: run `npm install` first');
  }
  // Beside the folder, then into its place at once: others may serve or build the page just now.
  const fresh = `${outDir}.${process.pid}`;
  const old = `${fresh}.old`;
  await vite.build({
    root: webDir,
    configFile: join(webDir, 'vite.config.ts'),
    logLevel: 'warn',
    build: { outDir: fresh },
  });
  await rename(outDir, old).catch(() => undefined);
  await rename(fresh, outDir).catch(() => undefined); // Another one was quicker: its page is as new.
  await rm(old, { recursive: true, force: true });
  await rm(fresh, { recursive: true, force: true });
  return outDir;
}

async function newestIn(dir) {
  let newest = 0;
  for (const entry of await readdir(dir, { withFileTypes: true }).catch(() => [])) {
    if (/^(dist|node_modules)\b/.test(entry.name)) continue;
    const path = join(dir, entry.name);
    const time = entry.isDirectory() ? await newestIn(path) : await modifiedAt(path);
    newest = Math.max(newest, time);
  }
  return newest;
}

async function modifiedAt(path) {
  const info = await stat(path).catch(() => null);
  return info === null ? 0 : info.mtimeMs;
}
