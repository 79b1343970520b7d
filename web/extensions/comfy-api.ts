import type { BinaryFrame, ServerMessage } from '../../engine/protocol.ts';
import type { Feed } from '../api/feed.ts';
import type { Server } from '../api/server.ts';

/** `api` of ComfyUI's page: the server's routes, and its messages as events. */
export class ComfyApi extends EventTarget {
  readonly #server: Server;
  readonly clientId: string;
  readonly initialClientId: string;
  readonly api_base = '';
  readonly api_host = location.host;
  readonly user = 'default';

  constructor(server: Server, feed: Feed) {
    super();
    this.#server = server;
    this.clientId = feed.clientId;
    this.initialClientId = feed.clientId;
    feed.onMessage((message) => this.#message(message));
    feed.onFrame((frame) => this.#frame(frame));
  }

  /** Tells the page's own listeners, and those of packs for messages of their own. */
  dispatchCustomEvent(type: string, detail?: unknown): boolean {
    return this.dispatchEvent(new CustomEvent(type, { detail }));
  }

  #message({ type, data }: ServerMessage): void {
    if (type === 'status') return void this.dispatchCustomEvent('status', data.status ?? null);
    if (type === 'executing') {
      return void this.dispatchCustomEvent('executing', data.display_node ?? data.node);
    }
    this.dispatchCustomEvent(type, data);
  }

  #frame(frame: BinaryFrame): void {
    if (frame.type === 'text') {
      const { nodeId, text } = frame;
      return void this.dispatchCustomEvent('progress_text', { nodeId, text });
    }
    const type = frame.type === 'preview' ? frame.imageType : frame.metadata.image_type;
    const blob = new Blob([frame.image.slice()], { type });
    this.dispatchCustomEvent('b_preview', blob);
    if (frame.type === 'preview') return;
    const { node_id, display_node_id, parent_node_id, real_node_id, prompt_id } = frame.metadata;
    this.dispatchCustomEvent('b_preview_with_metadata', {
      blob,
      nodeId: node_id,
      displayNodeId: display_node_id,
      parentNodeId: parent_node_id,
      realNodeId: real_node_id,
      promptId: prompt_id,
    });
  }

  fileURL(route: string): string {
    return this.#server.url(route.replace(/^\/+/, ''));
  }

  apiURL(route: string): string {
    return this.fileURL(`api/${route.replace(/^\/+/, '').replace(/^api\//, '')}`);
  }

  internalURL(route: string): string {
    return this.fileURL(`internal/${route.replace(/^\/+/, '')}`);
  }

  fetchApi(route: string, options: RequestInit = {}): Promise<Response> {
    return fetch(this.apiURL(route), { cache: 'no-cache', ...options });
  }

  async #json(route: string): Promise<unknown> {
    return (await this.fetchApi(route)).json();
  }

  #post(route: string, body: unknown): Promise<Response> {
    return this.fetchApi(route, {
      method: 'POST',
      headers: { 'Content-Type': 'application/json' },
      body: JSON.stringify(body),
    });
  }

  getNodeDefs = (): Promise<unknown> => this.#json('/object_info');
  getExtensions = (): Promise<unknown> => this.#json('/extensions');
  getEmbeddings = (): Promise<unknown> => this.#json('/embeddings');
  getModelFolders = (): Promise<unknown> => this.#json('/models');
  getModels = (folder: string): Promise<unknown> =>
    this.#json(`/models/${encodeURIComponent(folder)}`);
  getSystemStats = (): Promise<unknown> => this.#json('/system_stats');
  getSettings = (): Promise<unknown> => this.#json('/settings');
  getSetting = (id: string): Promise<unknown> => this.#json(`/settings/${encodeURIComponent(id)}`);
  storeSettings = (all: unknown): Promise<Response> => this.#post('/settings', all);
  storeSetting = (id: string, value: unknown): Promise<Response> =>
    this.#post(`/settings/${encodeURIComponent(id)}`, value);
  interrupt = (): Promise<Response> => this.#post('/interrupt', {});
  deleteItem = (type: string, id: string): Promise<Response> =>
    this.#post(`/${type}`, { delete: [id] });
  clearItems = (type: string): Promise<Response> => this.#post(`/${type}`, { clear: true });

  async getQueue(): Promise<unknown> {
    const queue = (await this.#json('/queue')) as Record<string, unknown[]>;
    return { Running: queue.queue_running, Pending: queue.queue_pending };
  }

  async getHistory(maxItems = 200): Promise<unknown> {
    const history = (await this.#json(`/history?max_items=${maxItems}`)) as Record<string, unknown>;
    return { History: Object.values(history) };
  }

  getUserData(file: string, options?: RequestInit): Promise<Response> {
    return this.fetchApi(`/userdata/${encodeURIComponent(file)}`, options);
  }

  storeUserData(
    file: string,
    data: unknown,
    { overwrite = true, stringify = true }: { overwrite?: boolean; stringify?: boolean } = {},
  ): Promise<Response> {
    return this.fetchApi(`/userdata/${encodeURIComponent(file)}?overwrite=${overwrite}`, {
      method: 'POST',
      body: stringify ? JSON.stringify(data) : (data as BodyInit),
    });
  }

  /** Posts a prompt as `app.graphToPrompt` made it; -1 as `number` puts it in front. */
  async queuePrompt(
    number: number,
    { output, workflow }: { output: unknown; workflow: unknown },
  ): Promise<unknown> {
    const response = await this.#post('/prompt', {
      client_id: this.clientId,
      prompt: output,
      extra_data: { extra_pnginfo: { workflow } },
      ...(number === -1 ? { front: true } : {}),
    });
    if (!response.ok) throw new Error(await response.text());
    return response.json();
  }
}
