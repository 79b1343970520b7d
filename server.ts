/** The server: flags, composition, listening. `node --import ./bin/typescript.js server.ts --help` lists the flags. */
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { CommanderError } from 'commander';
import { type Config, parseConfig } from './engine/config.ts';
import { NoodleError } from './engine/errors.ts';
import { faces } from './engine/server/faces.ts';
import { startServer } from './engine/server/start.ts';

const config = readFlags();
const server = await startServer(
  config,
  {
    builtinNodes: async () => (await import('./nodes/index.ts')).builtinNodes(),
    webRoot: config.webRoot === undefined ? buildPage : async () => config.webRoot!,
  },
  faces,
).catch(giveUp);

server.planned.catch(async (error: unknown) => {
  await server.stop();
  giveUp(error);
});

for (const signal of ['SIGINT', 'SIGTERM'] as const) {
  process.once(signal, () => void stop(0));
}
if (config.autoLaunch) {
  const { openBrowser } = await import('./engine/server/open-browser.ts');
  openBrowser(server.url);
}
if (config.quickTest) {
  await server.ready;
  await stop(0);
}

function readFlags(): Config {
  try {
    return parseConfig(process.argv.slice(2));
  } catch (error) {
    // commander has printed its message (or the help) already.
    if (error instanceof CommanderError) process.exit(error.exitCode === 0 ? 0 : 2);
    return giveUp(error);
  }
}

/** The page is built in a process of its own: it keeps a processor busy for seconds. */
async function buildPage(): Promise<string> {
  const build = new URL('./web/build.mjs', import.meta.url).href;
  const script = `import { buildWeb } from ${JSON.stringify(build)}; console.log(await buildWeb());`;
  const { stdout } = await promisify(execFile)(process.execPath, [
    '--input-type=module',
    '--eval',
    script,
  ]);
  return stdout.trim().split('\n').at(-1)!;
}

async function stop(code: number): Promise<void> {
  await server.stop();
  process.exit(code);
}

/** What the user can mend is said in one line; anything else with its stack. */
function giveUp(error: unknown): never {
  const { message, stack, code } = error as Error & { code?: string };
  const expected = error instanceof NoodleError || code === 'EADDRINUSE' || code === 'EACCES';
  process.stderr.write(`${expected ? message : stack}\n`);
  process.exit(expected ? 2 : 1);
}
