const { availableParallelism } = require('node:os');

/** Tests run on the TypeScript sources (swc); the real servers come from test/services through test/setup. */
module.exports = {
  testEnvironment: 'node',
  roots: ['<rootDir>/cli/src', '<rootDir>/gateway/src', '<rootDir>/scripts', '<rootDir>/demo', '<rootDir>/test'],
  testMatch: ['**/*.test.ts'],
  testPathIgnorePatterns: ['/node_modules/'],
  modulePathIgnorePatterns: ['/dist/'],
  transform: {
    // jose is made of ECMAScript modules only.
    '(\\.tsx?|/node_modules/jose/.+\\.js)$': [
      '@swc/jest',
      {
        jsc: {
          target: 'es2022',
          parser: { syntax: 'typescript', decorators: true },
          transform: { legacyDecorator: true },
        },
      },
    ],
  },
  transformIgnorePatterns: ['/node_modules/(?!jose/)'],
  testTimeout: 120_000,
  setupFiles: ['<rootDir>/test/setup/property-seed.ts'],
  globalSetup: '<rootDir>/test/setup/global-setup.ts',
  globalTeardown: '<rootDir>/test/setup/global-teardown.ts',
  reporters: ['default', '<rootDir>/test/setup/coverage-reporter.cjs'],
  // All workers share the same servers: more of them than this would wait for each other.
  maxWorkers: Math.max(2, Math.min(4, availableParallelism())),
};
