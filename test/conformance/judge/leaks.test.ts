import type { Job, SourceDescription } from '@ingesta/kit';
import { contains, searchable } from './leaks';

const variable = (name: string, secret: boolean) => ({
  name,
  description: 'Something.',
  aliases: [],
  required: false,
  secret,
  host: false,
});
const description: SourceDescription = {
  title: 'X',
  env_prefix: 'X_',
  env: [variable('X_USER', false), variable('X_PASSWORD', true), variable('X_URI', true)],
  command: ['x'],
};
const job = (env: Record<string, string>) => ({ database: 'x', env }) as Job;

it('looks for secrets, and for the password inside of a URL', () => {
  const { secrets } = searchable(description, job({ X_PASSWORD: 'correct horse', X_URI: 'x://me:battery@host/db' }));
  expect(secrets).toEqual(expect.arrayContaining(['correct horse', 'battery']));
});

it('says where a secret is an ordinary word, in which nothing would be proved by finding it', () => {
  const found = searchable(description, job({ X_USER: 'postgres', X_PASSWORD: 'postgres' }));
  expect(found).toEqual({ secrets: [], ordinary: ['postgres'] });
  expect(searchable(description, job({ X_PASSWORD: 'abc' })).ordinary).toEqual(['abc']);
});

it.each(['say "hi"/ñ', 'say \\"hi\\"/ñ', 'say%20%22hi%22%2F%C3%B1'])('finds a secret written as %s', (text) => {
  expect(contains(`before ${text} after`, ['say "hi"/ñ'])).toBe(true);
  expect(contains('nothing of it', ['say "hi"/ñ'])).toBe(false);
});
