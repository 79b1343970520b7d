export const { $el, ComfyDialog } = globalThis.comfyAPI.ui;
