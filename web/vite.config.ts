import { defineConfig, type Plugin } from 'vite';
import { themeSheet } from './graph/palette.ts';

/**
 * The page's bundle: relative URLs only (it may be served below any path) and no `eval`, so that a
 * Content-Security-Policy without 'unsafe-eval' suffices.
 */
export default defineConfig({
  root: import.meta.dirname,
  base: './',
  plugins: [withoutEval(), themes()],
  build: {
    outDir: 'dist',
    emptyOutDir: true,
    target: 'es2022',
    chunkSizeWarningLimit: 900,
    reportCompressedSize: false,
    // The editor, and the pages of forms, which have no graph to load.
    rolldownOptions: {
      input: ['index.html', 'run.html'].map((file) => `${import.meta.dirname}/${file}`),
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
