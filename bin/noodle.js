#!/usr/bin/env node
/** Starts the command line: the sources are TypeScript, which tsx turns into JavaScript on the fly. */
import { register } from 'tsx/esm/api';

register();
await import('../cli/main.ts');
