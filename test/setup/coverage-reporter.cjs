const { readFileSync } = require('node:fs');
const { relative } = require('node:path');
const { stripVTControlCharacters } = require('node:util');

/** What `describeWith` appends to a title: the services that the tests inside need. */
const NEEDS = /\[([a-z0-9]+(?:, [a-z0-9]+)*)\]$/;

/**
 * Prints which real servers covered the tests, then what failed, then the counts as the very last line of the run.
 * Jest tells of a failure where it happened, thousands of lines before the end.
 * With INGESTA_TEST_REQUIRE=all a skipped test makes the run fail: a green run must mean that everything ran.
 */
class CoverageReporter {
  onRunComplete(_contexts, results) {
    const counts = countByService(results.testResults.flatMap((file) => file.testResults));
    const rows = readServices().map(({ name, how, missing, bring }) => {
      const { run, skipped } = counts.get(name) ?? { run: 0, skipped: 0 };
      return [name, how ?? `nothing: ${missing}`, String(run), String(skipped), bring ?? ''];
    });
    const head = ['service', 'covered by', 'run', 'skipped', 'to bring it'];
    const lines = rows.length > 0 ? ['', table([head, ...rows]), ''] : [];
    // A file that cannot even be loaded has no tests to count.
    const failed = results.numFailedTests + results.numRuntimeErrorTestSuites;
    const skipped = results.numPendingTests + results.numTodoTests;
    for (const file of results.testResults) lines.push(...failuresOf(file));
    if (process.env.INGESTA_TEST_REQUIRE === 'all' && skipped > 0) {
      this.error = new Error(`INGESTA_TEST_REQUIRE=all, but ${skipped} tests were skipped`);
      lines.push(this.error.message);
    }
    lines.push(`${results.numPassedTests} passed, ${failed} failed, ${skipped} skipped`);
    // Jest puts its own summary after all other reporters, and may still warn later: only the exit comes after that.
    process.once('exit', () => process.stdout.write(`${lines.join('\n')}\n`));
  }

  /** Jest fails the run when this gives an error. */
  getLastError() {
    return this.error;
  }
}

/** What failed in a file, a line each: where, which test, and why. */
function failuresOf({ testFilePath, testExecError, testResults, failureMessage }) {
  const failed = testResults.filter(({ status }) => status === 'failed');
  const causes = failed.map(({ fullName, failureMessages }) => `${fullName}: ${inOneLine(failureMessages[0])}`);
  // What came from another process may have lost its message.
  if (testExecError) causes.push(inOneLine(testExecError.message || failureMessage));
  return causes.map((cause) => `FAILED ${relative(process.cwd(), testFilePath)}: ${cause}`);
}

/** Without colours and stack, at most 400 characters. */
function inOneLine(text = '') {
  const [message] = stripVTControlCharacters(text.slice(0, 4000)).split('\n    at ', 1);
  return message.replace(/\s+/g, ' ').trim().slice(0, 400);
}

function countByService(tests) {
  const counts = new Map();
  for (const test of tests) {
    const needs = new Set(test.ancestorTitles.flatMap((title) => NEEDS.exec(title)?.[1].split(', ') ?? []));
    for (const service of needs) {
      const count = counts.get(service) ?? { run: 0, skipped: 0 };
      count[test.status === 'passed' || test.status === 'failed' ? 'run' : 'skipped'] += 1;
      counts.set(service, count);
    }
  }
  return counts;
}

function readServices() {
  const file = process.env.INGESTA_TEST_SUMMARY;
  if (!file) return [];
  const { handles, missing } = JSON.parse(readFileSync(file, 'utf8'));
  return [...handles, ...missing].sort((a, b) => a.name.localeCompare(b.name));
}

function table(rows) {
  const widths = rows[0].map((_, column) => Math.max(...rows.map((row) => row[column].length)));
  return rows
    .map((row) =>
      row
        .map((cell, i) => cell.padEnd(widths[i]))
        .join(' | ')
        .trimEnd(),
    )
    .join('\n');
}

module.exports = CoverageReporter;
