import type { Texts } from '../texts.ts';

/** The canvas: its tools, its search, its settings. */
export const canvas: Texts = {
  'Always snap to the grid': '始终对齐网格',
  'Otherwise while Shift is held.': '否则仅在按住 Shift 时对齐。',
  'Grid size': '网格大小',
  'Map of the graph': '小地图',
  'Tools above the selection': '在所选内容上方显示工具栏',
  'Delete the selection': '删除所选内容',
  'Arrange in layers': '分层排列',
  'Fit the selection': '适应所选内容',
  'Menu of the selection': '所选内容的菜单',
  'Zoom to 100%': '缩放至 100%',
  'Lock the canvas': '锁定画布',
  'Show or hide links': '显示或隐藏连线',
  'Show or hide the map': '显示或隐藏小地图',
  'Add node': '添加节点',
  'Search nodes': '搜索节点',
  'Show nodes of every type': '显示所有类型的节点',
  recent: '最近使用',
  'No node matches.': '没有匹配的节点。',
  Align: '对齐',
  'No colour': '无颜色',
  'Hex digits': '十六进制颜色',
};
