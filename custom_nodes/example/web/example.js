// Loaded by the page (and by ComfyUI's, with --front-end-root) as /extensions/example/example.js. Adds two things that
// are seen: a colour for the pack's nodes, and a message for what ExampleWait sends with `context.send`.
import { app } from '../../scripts/app.js';

app.registerExtension({
  name: 'example',
  setup() {
    app.api.addEventListener('example.waited', ({ detail }) => {
      app.extensionManager.toast.add({
        severity: 'info',
        summary: 'Example pack',
        detail: `Node ${detail.node} waited ${detail.seconds} s`,
        life: 4000,
      });
    });
  },
  nodeCreated(node) {
    if (!node.comfyClass?.startsWith('Example')) return;
    node.color = '#25415a';
    node.bgcolor = '#1c3044';
  },
});
