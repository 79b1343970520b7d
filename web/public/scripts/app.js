// What the page scripts of node packs import; the page puts it there (web/extensions/load.ts).
export const { app, ComfyApp } = globalThis.comfyAPI.app;
