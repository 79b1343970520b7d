/** /v1/nodes, /v1/models, /v1/system: what there is to work with. */
import { freemem, totalmem } from 'node:os';
import { Type } from 'typebox';
import { COMFYUI_VERSION } from '../../../config.ts';
import { NoodleError } from '../../../errors.ts';
import type { NodeDefinition } from '../../../graph/definition.ts';
import { nodeInfo } from '../../../graph/object-info.ts';
import { createModelDetails } from '../../../store/model-details.ts';
import { deviceViews } from '../../device-view.ts';
import { ok, route } from '../route.ts';
import {
  ModelFiles,
  ModelFolders,
  NodeClass,
  NodeList,
  type NodeSummary,
  System,
} from '../schemas.ts';
import { programVersion } from '../../../version.ts';

/** Folders that hold no models. */
const NOT_MODELS = ['configs', 'custom_nodes'];

export const catalogRoutes = [
  route({
    method: 'get',
    path: '/v1/nodes',
    id: 'listNodes',
    tag: 'Catalog',
    summary: 'List node classes',
    query: Type.Object({
      q: Type.Optional(Type.String({ description: 'Part of the name, in any case.' })),
      category: Type.Optional(
        Type.String({ description: 'Only this category and those inside it.' }),
      ),
    }),
    responses: { 200: { description: 'The classes.', schema: NodeList } },
    run: async ({ query: { q = '', category }, base }, api) => {
      const wanted = q.toLowerCase();
      const nodes = [...(await api.nodes()).values()]
        .filter(({ name, displayName = '' }) =>
          `${name}\n${displayName}`.toLowerCase().includes(wanted),
        )
        .filter((node) => category === undefined || `${node.category}/`.startsWith(`${category}/`))
        .map((node) => nodeSummary(node, base));
      return ok({ nodes, total: nodes.length });
    },
  }),
  route({
    method: 'get',
    path: '/v1/nodes/{class}',
    id: 'getNode',
    tag: 'Catalog',
    summary: 'One node class with its inputs',
    params: Type.Object({ class: Type.String({ description: 'Name of the class.' }) }),
    responses: {
      200: { description: 'The class.', schema: NodeClass },
      404: { description: 'There is no such class.' },
    },
    run: async ({ params }, api) => {
      const node = (await api.nodes()).get(params.class);
      if (node === undefined) {
        throw new NoodleError('FILE_NOT_FOUND', { kind: 'node class', name: params.class });
      }
      return ok(nodeInfo(node, api.folders));
    },
  }),
  route({
    method: 'get',
    path: '/v1/models',
    id: 'listModelFolders',
    tag: 'Catalog',
    summary: 'List model folders',
    responses: { 200: { description: 'The folders.', schema: ModelFolders } },
    run: ({ base }, { folders }) =>
      ok({
        folders: folders
          .modelFolders()
          .filter((name) => !NOT_MODELS.includes(name))
          .map((name) => ({
            name,
            count: folders.modelFiles(name).length,
            url: `${base}/v1/models/${encodeURIComponent(name)}`,
          })),
      }),
  }),
  route({
    method: 'get',
    path: '/v1/models/{folder}',
    id: 'listModels',
    tag: 'Catalog',
    summary: 'List the models of a folder',
    params: Type.Object({
      folder: Type.String({ description: 'Name of the folder.', examples: ['checkpoints'] }),
    }),
    responses: {
      200: { description: 'The files.', schema: ModelFiles },
      404: { description: 'There is no such folder.' },
    },
    run: ({ params: { folder } }, { folders }) => {
      const isKnown = folders.modelFolders().includes(folder) && !NOT_MODELS.includes(folder);
      const files = isKnown ? createModelDetails(folders)(folder) : undefined;
      if (files === undefined) {
        throw new NoodleError('FILE_NOT_FOUND', { kind: 'model folder', name: folder });
      }
      return ok({
        folder,
        files: files.map(({ name, size, modified }) => ({
          name,
          size,
          modified_at: new Date(modified * 1000).toISOString(),
        })),
      });
    },
  }),
  route({
    method: 'get',
    path: '/v1/system',
    id: 'getSystem',
    tag: 'Catalog',
    summary: 'The machine and the program',
    responses: { 200: { description: 'The system.', schema: System } },
    run: (_, { dispatcher }) =>
      ok({
        version: programVersion(),
        comfyui_version: COMFYUI_VERSION,
        node_version: process.version,
        platform: `${process.platform} ${process.arch}`,
        uptime_seconds: process.uptime(),
        memory: {
          total: totalmem(),
          available: freemem(),
          server: process.memoryUsage.rss(),
        },
        devices: deviceViews(dispatcher.states()).map((view) => ({
          id: view.device.id,
          name: view.device.name,
          type: view.device.kind,
          precision: view.precision,
          memory_total: view.memoryTotal ?? view.budget,
          memory_free: view.memoryFree ?? Math.max(view.budget - view.used, 0),
          memory_budget: view.budget,
          memory_used: view.used,
          memory_streamed: view.streamed,
        })),
        engines: dispatcher.engines(),
      }),
  }),
];

function nodeSummary(node: NodeDefinition, base: string): NodeSummary {
  return {
    name: node.name,
    display_name: node.displayName ?? node.name,
    category: node.category,
    description: node.description ?? '',
    output_node: node.outputNode ?? false,
    deprecated: node.deprecated ?? false,
    experimental: node.experimental ?? false,
    url: `${base}/v1/nodes/${encodeURIComponent(node.name)}`,
  };
}
