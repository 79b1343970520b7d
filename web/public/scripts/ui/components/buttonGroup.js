export const { ComfyButtonGroup } = globalThis.comfyAPI.buttonGroup;
