/** Lets packs be any TypeScript (paths without endings, enums, JSX …), and our own files be read as before. */
import { registerHooks } from './typescript.js';
import 'tsx';

// Hooks that came last are asked first.
registerHooks();
