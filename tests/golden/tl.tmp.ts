import { run } from './training/train-lora-node.ts';
const t0 = performance.now(); const c0 = process.cpuUsage();
try { const r = await run('/work/shared/golden/training/train-lora-node', process.argv[2]);
 const c = 'comparisons' in r ? r.comparisons : [];
 console.log(c.filter((x) => !x.pass).slice(0, 10), c.length, c.slice(0,3)); } catch (e) { console.log(e); }
const c = process.cpuUsage(c0);
console.log((performance.now() - t0) / 1000, c.user / 1e6, c.system / 1e6);
