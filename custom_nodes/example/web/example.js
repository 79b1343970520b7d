// Loaded by the page as /extensions/example/example.js. It gets what the pack's nodes `send`.
export function setup(app) {
  app.api?.addEventListener('example.waited', (event) => {
    const { node, seconds } = event.detail;
    app.toast?.(`node ${node} waited ${seconds} s`);
  });
}
