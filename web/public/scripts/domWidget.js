export const { DOMWidgetImpl } = globalThis.comfyAPI.domWidget;
