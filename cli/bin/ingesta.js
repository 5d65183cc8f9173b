#!/usr/bin/env node
// Committed, unlike the bundle: npm links a program at install time, and only if its file is there.
const { existsSync } = require('node:fs');
const { join } = require('node:path');

const bundle = join(__dirname, '../dist/main.js');
if (existsSync(bundle)) {
  require(bundle);
} else {
  process.stderr.write('ingesta is not built yet: npm run build\n');
  process.exitCode = 69;
}
