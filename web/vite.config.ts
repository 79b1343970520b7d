import { readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { brotliCompress, constants, gzip } from 'node:zlib';
import { defineConfig, type Plugin } from 'vite';
import { themeSheet } from './graph/palette.ts';

/**
 * The page's bundle: relative URLs only (it may be served below any path) and no `eval`, so that a
 * Content-Security-Policy without 'unsafe-eval' suffices.
 */
export default defineConfig({
  root: import.meta.dirname,
  base: './',
  plugins: [withoutEval(), themes(), compressed()],
  build: {
    outDir: 'dist',
    emptyOutDir: true,
    target: 'es2022',
    chunkSizeWarningLimit: 900,
    reportCompressedSize: false,
    // The editor, and the pages of forms and of training, which have no graph to load.
    rolldownOptions: {
      input: ['index.html', 'run.html', 'train.html'].map(
        (file) => `${import.meta.dirname}/${file}`,
      ),
    },
  },
  // Never the development form, whoever builds (tests do): it writes source paths into the page.
  oxc: { jsx: { runtime: 'automatic', importSource: 'preact', development: false } },
  mode: 'production',
});

/**
 * litegraph evaluates what is typed into its number prompt. Our number widget has its own
 * arithmetic, so the call is cut out; a litegraph that moved it must fail the build, not slip by.
 */
function withoutEval(): Plugin {
  const call = 'v = eval(v);';
  return {
    name: 'litegraph-without-eval',
    transform(code, id) {
      if (!id.includes('litegraph.es.js')) return null;
      if (!code.includes(call)) throw new Error(`litegraph.es.js: expected '${call}', not found`);
      return { code: code.replace(call, ''), map: null };
    },
  };
}

/** The colours of the themes as the style sheet `virtual:themes.css`. */
function themes(): Plugin {
  const id = 'virtual:themes.css';
  return {
    name: 'themes',
    resolveId: (source) => (source === id ? `\0${id}` : null),
    load: (source) => (source === `\0${id}` ? themeSheet() : null),
  };
}

/** Bytes from which a text is worth compressing. */
const worthIt = 1024;

/** Lays every text of the built page beside itself compressed, for the server to send so. */
function compressed(): Plugin {
  return {
    name: 'compressed',
    async writeBundle({ dir = '' }) {
      const names = await readdir(dir, { recursive: true });
      const texts = names.filter((name) => /\.(js|css|svg|json)$/.test(name));
      await Promise.all(texts.map((name) => compress(join(dir, name))));
    },
  };
}

/** The last levels take ten times as long for a twentieth less. */
const brotliOptions = { params: { [constants.BROTLI_PARAM_QUALITY]: 9 } };

async function compress(path: string): Promise<void> {
  const bytes = await readFile(path);
  if (bytes.length < worthIt) return;
  await writeFile(`${path}.br`, await promisify(brotliCompress)(bytes, brotliOptions));
  await writeFile(`${path}.gz`, await promisify(gzip)(bytes, { level: 9 }));
}
