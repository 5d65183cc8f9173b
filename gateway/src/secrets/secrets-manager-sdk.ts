/** What is used of Secrets Manager's client, which is imported as a whole when first needed: a bundle leaves out the rest. */
export { GetSecretValueCommand, SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
