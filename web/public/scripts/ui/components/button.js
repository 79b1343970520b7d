export const { ComfyButton } = globalThis.comfyAPI.button;
