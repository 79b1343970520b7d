/**
 * Lets this process, or this thread, import the project's TypeScript as it lies there:
 * `node --import ./bin/typescript.js server.ts`.
 */
import module from 'node:module';
import { fileURLToPath } from 'node:url';
import * as hooks from './typescript-hooks.js';

/** Puts our hooks before those that are there: the last ones are asked first. */
export function registerHooks() {
  // Before Node 22.15 hooks live in a thread of their own, and every import waits for a message from there.
  if (module.registerHooks === undefined) module.register('./typescript-hooks.js', import.meta.url);
  else module.registerHooks(hooks);
}

// Positions in errors are those of the sources.
process.setSourceMapsEnabled(true);
// From 22.8 on Node keeps what it compiled.
module.enableCompileCache?.(fileURLToPath(new URL('../.cache/node', import.meta.url)));
registerHooks();
