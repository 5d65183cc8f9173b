import { ROOT } from '../bench/root';
import { withServices } from '../bench/with-services';
import { schemathesisProgram } from '../services/need';
import { fuzz } from './fuzz';
import { ways } from './ways';

/** `npm run fuzz -- [requests per route] [seed]`: in each way to come to the gateway. */
async function main([perRoute = '200', seed = String(Date.now() % 1_000_000)]: string[]): Promise<void> {
  process.env.INGESTA_TEST_INSTALL ??= '1';
  await withServices(['schemathesis'], [], async () => {
    const print = (text: string) => void process.stdout.write(text);
    const options = {
      root: ROOT,
      program: schemathesisProgram(),
      perRoute: Number(perRoute),
      seed: Number(seed),
      print,
    };
    const lines: string[] = [];
    let all = 0;
    for (const way of ways()) {
      process.stdout.write(`\n==== ${way.name}\n`);
      const { cases, routes, failed } = await fuzz({ ...options, way });
      all += cases;
      lines.push(`${way.name}: ${cases} requests of ${routes} routes: ${failed ? 'failures' : 'no failure'}`);
      if (failed) process.exitCode = 1;
    }
    process.stdout.write(`\n${lines.join('\n')}\n${all} requests, seed ${seed}\n`);
  });
}

main(process.argv.slice(2)).catch((error: Error) => {
  process.stderr.write(`fuzz: ${error.message}\n`);
  process.exitCode = 1;
});
