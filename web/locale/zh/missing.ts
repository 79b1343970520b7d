import type { Texts } from '../texts.ts';

/** Models and nodes that a workflow wants and the server lacks. */
export const missing: Texts = {
  'Refresh all choices': '刷新所有选项',
  'All choices are up to date': '所有选项已是最新',
  'A subgraph that this file does not contain': '此文件中没有的子图',
  '{name} (a group that this file does not define)': '{name}（此文件中没有定义的组）',
  'Not installed': '未安装',
  '{name} takes its place when it is queued': '加入队列时由“{name}”代替',
  'Show node {id}': '显示节点 {id}',
  'and {count} more': '以及另外 {count} 个',
  'This workflow uses model files that are not on this server. Put each into its folder, then press R on the graph.':
    '此工作流使用了服务器上没有的模型文件。请将它们放入相应的文件夹，然后在画布上按 R。',
  'needed by {titles}': '用于 {titles}',
  'belongs into {folder}': '应放入 {folder}',
  'Copy link': '复制链接',
  'Open link': '打开链接',
  'Show node': '显示节点',
  'Do not show this again for this workflow': '不再为此工作流显示',
  'Copy all links': '复制所有链接',
  Copied: '已复制',
  '1 problem': '1 个问题',
  '{count} problems': '{count} 个问题',
  'Tell which models are missing when a workflow is opened': '打开工作流时提示缺失的模型',
  'Convert the group node to nodes': '将组节点转换为节点',
  'Convert the group node to a subgraph': '将组节点转换为子图',
};
