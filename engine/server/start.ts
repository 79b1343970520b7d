/** Starts the server: a core, the faces on it, and the addresses they are reached at. */
import type { Config } from '../config.ts';
import type { NodeRegistry } from '../graph/definition.ts';
import { createApp } from './app.ts';
import { createCore } from './core.ts';
import type { FaceMaker } from './face.ts';
import { addressOf, listen } from './listen.ts';
import { createLog } from './log.ts';
import { servePage } from './page.ts';
import { createGuard } from './security.ts';
import { createWebSockets } from './websockets.ts';

/** What the server is given from outside its layer. */
export interface ServerParts {
  readonly builtinNodes: () => Promise<NodeRegistry>;
  /** The folder of the built page. */
  readonly webRoot: () => Promise<string>;
}

export interface RunningServer {
  readonly url: string;
  /** Resolves when the devices are chosen; rejects with DEVICE where one that was asked for is not there. */
  readonly planned: Promise<void>;
  /** Resolves when nodes are loaded and an engine is ready. */
  readonly ready: Promise<void>;
  stop(): Promise<void>;
}

/**
 * Starts a server with these faces; resolves as soon as it answers. Listening comes first, everything
 * heavy after that. Throws what makes a start impossible (BAD_INPUT, DATABASE_BUSY, EADDRINUSE …).
 */
export async function startServer(
  config: Config,
  parts: ServerParts,
  faceMakers: readonly FaceMaker[],
): Promise<RunningServer> {
  const log = createLog({
    level: config.printServer ? config.logLevel : 'ERROR',
    stream: config.logToStdout ? process.stdout : process.stderr,
  });
  for (const notice of config.notices) log('INFO', notice);
  const guard = createGuard({
    ...config,
    userTokens: await userTokensOf(config),
  });
  const sockets = createWebSockets(guard);
  const { core, ...running } = createCore(config, log, () => sockets.size());
  const faces = faceMakers.map((make) => make(core));
  for (const { on } of faces) if (on !== undefined) core.events.listen(on);

  const page = servePage(parts.webRoot, { isOwn: config.webRoot === undefined });
  const servers = await listen(createApp({ ...config, guard, faces, page, log }), config);
  for (const server of servers) sockets.accept(server, faces);
  running.start(parts.builtinNodes);
  for (const face of faces) face.start?.();
  const url = addressOf(servers[0], config);
  log('INFO', `Starting server\n\nTo see the GUI go to: ${url}`);
  return {
    url,
    planned: running.planned,
    ready: running.ready,
    stop: async () => {
      sockets.close();
      for (const face of faces) face.stop?.();
      for (const server of servers) {
        server.close();
        server.closeAllConnections();
      }
      await running.stop();
    },
  };
}

async function userTokensOf({
  userTokens,
}: Config): Promise<ReadonlyMap<string, string> | undefined> {
  if (userTokens === undefined) return undefined;
  const { readUserTokens } = await import('../store/user-tokens.ts');
  return readUserTokens(userTokens);
}
