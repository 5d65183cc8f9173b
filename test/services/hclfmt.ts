import { firstThatStarts } from './attempts';
import { type GoProgram, installedGo, installGo } from './go-program';
import type { ServiceHandle } from './service';

/** How to have it next time. */
export const BRING_HCLFMT = 'have Go and set INGESTA_TEST_INSTALL=1 (builds it once, some seconds)';

const HCLFMT: GoProgram = {
  folder: 'hclfmt',
  program: 'hclfmt',
  module: 'github.com/hashicorp/hcl/v2@v2.24.0',
  package: './cmd/hclfmt',
};

/** The reader and formatter of Terraform's language: what `terraform fmt` is made of, without the rest of Terraform. */
export function hclfmtService(): Promise<ServiceHandle> {
  return firstThatStarts('hclfmt', [
    { from: 'installed', start: async () => asService(installedGo(HCLFMT)) },
    { from: 'install', start: async () => asService(await installGo(HCLFMT)) },
  ]);
}

function asService(program: string | undefined): ServiceHandle | undefined {
  if (!program) return undefined;
  const how = `${HCLFMT.module.split('@')[1]}, installed program ${program}`;
  return { name: 'hclfmt', how, env: { INGESTA_TEST_HCLFMT: program }, stop: async () => undefined };
}
