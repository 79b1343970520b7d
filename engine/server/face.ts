/**
 * A face is one way to use the server: ComfyUI's routes and websocket are one, the API under /v1
 * another. All stand on the same core and know nothing of each other; faces.ts lists them.
 */
import type { Request, RequestHandler, Response } from 'express';
import type { WebSocket } from 'ws';
import type { Assets } from '../assets/client.ts';
import type { Config } from '../config.ts';
import type { NodeRegistry } from '../graph/definition.ts';
import type { PackHost } from '../packs/pack-host.ts';
import type { BatchRows } from '../queue/batch-rows.ts';
import type { Dispatcher } from '../queue/dispatcher.ts';
import type { Queue } from '../queue/queue.ts';
import type { WebhookRows } from '../queue/webhook-rows.ts';
import type { Folders } from '../store/folders.ts';
import type { Users } from '../store/users.ts';
import type { Inventory } from '../worker/engines.ts';
import type { Json } from '../workflow/lossless-json.ts';
import type { Events, Listener } from './events.ts';
import type { ServerLog } from './log.ts';
import type { Sender, SubmitAnswer } from './submit.ts';

/** What every face works with. */
export interface Core {
  readonly config: Config;
  readonly folders: Folders;
  readonly users: Users;
  /** Resolves when nodes and packs are loaded; another map when they have changed. */
  readonly nodes: () => Promise<NodeRegistry>;
  /** Checks a prompt (the body of a POST /prompt) and puts it into the queue. */
  readonly submit: (body: Json, sender: Sender) => Promise<SubmitAnswer>;
  /** What is wrong with a prompt that is not to be submitted yet. */
  readonly refusalOf: (body: Json) => Promise<Extract<SubmitAnswer, { ok: false }> | undefined>;
  readonly queue: Queue;
  readonly dispatcher: Dispatcher;
  /** The machine's devices, used or not. */
  readonly inventory: () => Promise<Inventory>;
  readonly events: Events;
  readonly packs: Pick<PackHost, 'reports'>;
  /** Folders of the packs that are in use. */
  readonly packFolders: () => readonly string[];
  /** Undefined where they are turned off. */
  readonly assets: Assets | undefined;
  /** Notices that were promised with jobs. */
  readonly webhookRows: WebhookRows;
  /** Jobs that were asked for together. */
  readonly batches: BatchRows;
  /** Open websockets of all faces. */
  readonly websockets: () => number;
  readonly log: ServerLog;
  readonly now: () => number;
  readonly newId: () => string;
}

/** Where routes are found. */
export interface MountedRoutes {
  /** `both`: as they are and under /api; `root` or `api`: there only. */
  readonly at: 'both' | 'root' | 'api';
  readonly router: RequestHandler;
}

/** Why a request is not served. */
export interface Refusal {
  readonly status: number;
  /** For programs, in lower case with underscores. */
  readonly code: string;
  readonly message: string;
}

/** Answers a refused request in the form of the face it was meant for; `plainly` where none takes it. */
export type Refuse = (req: Request, res: Response, refusal: Refusal, plainly: () => void) => void;

export interface Face {
  readonly name: string;
  readonly routes: readonly MountedRoutes[];
  /** Tried before the guard: what is answered to everybody, and what watches all requests. */
  readonly open?: readonly RequestHandler[];
  /** Answers a refused request in this face's form; false when the request is not for this face. */
  readonly refuse?: (req: Request, res: Response, refusal: Refusal) => boolean;
  /** Addresses where a websocket may be opened, and who takes it. The guard is asked before. */
  readonly sockets?: {
    readonly paths: readonly string[];
    readonly attach: (socket: WebSocket, query: URLSearchParams) => void;
  };
  /** What it is told. */
  readonly on?: Listener;
  /** The server listens from now on. */
  readonly start?: () => void;
  readonly stop?: () => void;
}

/** Builds a face over the core; nothing is asked of the queue before `start` or the first request. */
export type FaceMaker = (core: Core) => Face;
