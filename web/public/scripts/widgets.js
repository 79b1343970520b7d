export const { ComfyWidgets } = globalThis.comfyAPI.widgets;
