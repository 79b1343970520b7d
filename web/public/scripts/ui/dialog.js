export const { ComfyDialog } = globalThis.comfyAPI.dialog;
