// Preloaded into a gateway that was started with --expose-gc: at SIGUSR2 it collects garbage and writes down what is left.
const { renameSync, writeFileSync } = require('node:fs');
const { join } = require('node:path');

const file = join(process.cwd(), 'memory.json');
let look = 0;
process.on('SIGUSR2', () => {
  global.gc();
  // What the first round finished may be collected only now.
  setTimeout(() => {
    global.gc();
    const { rss, heapUsed, external } = process.memoryUsage();
    look += 1;
    const resources = process.getActiveResourcesInfo().length;
    writeFileSync(`${file}.new`, JSON.stringify({ look, rss, heapUsed, external, resources }));
    renameSync(`${file}.new`, file);
  }, 100);
});
