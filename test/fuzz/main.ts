import { ROOT } from '../bench/root';
import { withServices } from '../bench/with-services';
import { schemathesisProgram } from '../services/need';
import { fuzz } from './fuzz';

/** `npm run fuzz -- [requests per route] [seed]` */
async function main([perRoute = '500', seed = String(Date.now() % 1_000_000)]: string[]): Promise<void> {
  process.env.INGESTA_TEST_INSTALL ??= '1';
  await withServices(['schemathesis'], [], async () => {
    const print = (text: string) => void process.stdout.write(text);
    const program = schemathesisProgram();
    const options = { root: ROOT, program, perRoute: Number(perRoute), seed: Number(seed), print };
    const { cases, routes, failed } = await fuzz(options);
    process.stdout.write(
      `\n${cases} requests of ${routes} routes, seed ${seed}: ${failed ? 'failures' : 'no failure'}\n`,
    );
    if (failed) process.exitCode = 1;
  });
}

main(process.argv.slice(2)).catch((error: Error) => {
  process.stderr.write(`fuzz: ${error.message}\n`);
  process.exitCode = 1;
});
