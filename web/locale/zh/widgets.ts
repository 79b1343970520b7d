import type { Texts } from '../texts.ts';

export const widgets: Texts = {
  Search: '搜索',
  Inputs: '输入',
  Outputs: '输出',
  Previews: '预览',
  Upload: '上传',
  'No files': '没有文件',
  'Filter {name}': '筛选{name}',
  'Nothing to choose from': '没有可选项',
  'No match': '没有匹配项',
  'Hex digits': '十六进制值',
  Left: '左',
  Top: '上',
  Width: '宽度',
  Height: '高度',
  Suggestions: '建议',
  Embedding: '嵌入',
  LoRA: 'LoRA',
  Word: '词语',
  'Comment out lines of a prompt': '注释提示词的行',
};
