/** /docs: the API for people, made from its OpenAPI document in the browser. */
import { readFileSync } from 'node:fs';
import { Router } from 'express';

/** The page loads and asks nothing but this server, and no text of anybody can become a script. */
const POLICY =
  "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src data:; " +
  "base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

const FILES: readonly (readonly [path: string, file: string, type: string])[] = [
  ['/docs', 'index.html', 'text/html; charset=utf-8'],
  ['/docs/ui-assets/page.js', 'page.js', 'text/javascript; charset=utf-8'],
  ['/docs/ui-assets/page.css', 'page.css', 'text/css; charset=utf-8'],
];

/** Routes of the page. Everything else under /docs is left to others: front ends ask for help there. */
export function docsPage(): Router {
  const router = Router({ caseSensitive: true });
  for (const [path, file, type] of FILES) {
    const bytes = readFileSync(new URL(`docs-page/${file}`, import.meta.url));
    router.get(path, (_req, res) => {
      res.set({
        'Content-Type': type,
        'Content-Security-Policy': POLICY,
        'Cache-Control': 'no-cache',
      });
      res.send(bytes);
    });
  }
  return router;
}
