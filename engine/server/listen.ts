/** The addresses the server listens on. */
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { type Server, createServer } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import type { Express } from 'express';
import type { Config } from '../config.ts';

/** One server per address; with port 0 the first one's port is everybody's. */
export async function listen(
  app: Express,
  { listen: addresses, port, tls }: Pick<Config, 'listen' | 'port' | 'tls'>,
): Promise<Server[]> {
  const servers: Server[] = [];
  for (const address of addresses) {
    const server =
      tls === undefined
        ? createServer(app)
        : createTlsServer(
            { key: readFileSync(tls.keyFile), cert: readFileSync(tls.certFile) },
            app,
          );
    const shared = servers.length > 0 ? (servers[0].address() as AddressInfo).port : port;
    server.listen({ port: shared, host: address, ipv6Only: address.includes(':') });
    await once(server, 'listening');
    servers.push(server);
  }
  return servers;
}

/** The address of the first server, as a browser on this machine writes it. */
export function addressOf(
  server: Server,
  { listen: [host], tls }: Pick<Config, 'listen' | 'tls'>,
): string {
  const { port } = server.address() as AddressInfo;
  const shown = host === '0.0.0.0' ? '127.0.0.1' : host === '::' ? '::1' : host;
  return `${tls === undefined ? 'http' : 'https'}://${shown.includes(':') ? `[${shown}]` : shown}:${port}`;
}
