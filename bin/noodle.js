#!/usr/bin/env node
/** Starts the command line, whose sources are TypeScript. */
import './typescript.js';

if (process.argv[2] === 'serve') {
  // All flags behind `serve` are the server's own; it reads them, prints its help, and goes on.
  process.argv.splice(2, 1);
  await import('../server.ts');
} else {
  await import('../cli/main.ts');
}
