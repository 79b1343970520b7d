import type { Texts } from '../texts.ts';

export const phone: Texts = {
  'The workflow as a graph': '工作流节点图',
  'Show all': '全部显示',
  Views: '视图',
  'This workflow has nothing to fill in.': '此工作流没有可填写的内容。',
  'Open the newest picture': '打开最新的图片',
  'It is being made': '正在生成',
};
