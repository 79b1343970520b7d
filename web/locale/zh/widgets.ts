import type { Texts } from '../texts.ts';

export const widgets: Texts = {
  Search: '搜索',
  Inputs: '输入',
  Outputs: '输出',
  Previews: '预览',
  Upload: '上传',
  'No files': '没有文件',
  'No match': '没有匹配项',
};
