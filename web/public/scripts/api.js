export const { api, ComfyApi } = globalThis.comfyAPI.api;
