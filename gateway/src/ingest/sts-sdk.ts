/** What is used of STS's client, which is imported as a whole when first needed: a bundle leaves out the rest. */
export { AssumeRoleCommand, STSClient } from '@aws-sdk/client-sts';
