export const { addStylesheet, clone } = globalThis.comfyAPI.utils;
