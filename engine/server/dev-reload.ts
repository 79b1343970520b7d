/** --dev-reload: who writes a node pack sees each change without a restart. */
import type { Log } from '../log.ts';
import type { Dispatcher } from '../queue/dispatcher.ts';
import type { PackHost } from '../packs/pack-host.ts';
import { watchPacks } from '../packs/watch-packs.ts';
import type { Events } from './events.ts';

export interface DevReloadOptions {
  readonly packs: Pick<PackHost, 'reload' | 'reports'>;
  readonly packFolders: () => readonly string[];
  readonly dispatcher: Pick<Dispatcher, 'renew'>;
  readonly events: Pick<Events, 'tell'>;
  readonly log: Log;
}

/**
 * Reloads packs whenever one of their files changes: nodes and engines only for code, and a running
 * prompt ends first; then every page is told. Returns how to stop.
 */
export function startDevReload(options: DevReloadOptions): () => void {
  const { packs, packFolders, dispatcher, events, log } = options;
  let last: Promise<void> = Promise.resolve();

  const reload = async (code: boolean): Promise<void> => {
    if (code) {
      await packs.reload();
      dispatcher.renew();
    }
    const reports = await packs.reports();
    const broken = reports.filter(({ problems }) => problems.length > 0).length;
    log(
      'INFO',
      `packs: ${reports.length} reloaded${broken > 0 ? `, ${broken} with problems` : ''}`,
    );
    events.tell.news('packs_changed', JSON.stringify({ packs: reports.map(({ id }) => id) }));
  };

  return watchPacks({
    paths: packFolders,
    onChange: ({ code }) => {
      last = last
        .then(() => reload(code))
        .catch((error: Error) => log('ERROR', `packs: ${error.stack ?? error.message}`));
    },
  });
}
