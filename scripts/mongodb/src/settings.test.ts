import { withOneHost } from './connect';
import { parseSettings } from './settings';

describe('parseSettings', () => {
  it('takes parts, with admin as the auth source of a user', () => {
    const settings = parseSettings({ MONGO_HOST: 'db', MONGO_USER: 'u', MONGO_PASSWORD: 'p@/', MONGO_DATABASE: 'x' });
    expect(settings).toMatchObject({ uri: 'mongodb://db:27017/', database: 'x', where: 'db:27017', snapshot: true });
    expect(settings.options).toMatchObject({ auth: { username: 'u', password: 'p@/' }, authSource: 'admin' });
  });

  it('lets the URI win, database included', () => {
    const MONGO_URI = 'mongodb://u:p@h1:1,h2:2/ventas?replicaSet=rs0';
    const settings = parseSettings({ MONGO_URI, MONGO_HOST: 'other', MONGO_DATABASE: 'otra' });
    expect(settings).toMatchObject({ uri: MONGO_URI, database: 'ventas', where: 'h1:1,h2:2', options: {} });
    expect(parseSettings({ MONGO_URI: 'mongodb://h1', MONGO_DATABASE: 'otra' }).database).toBe('otra');
  });

  it('names every problem and no secret', () => {
    expect(() => parseSettings({ MONGO_PORT: '0', MONGO_SSL_MODE: 'si' })).toThrow(
      /MONGO_SSL_MODE.*MONGO_PORT.*MONGO_HOST.*MONGO_DATABASE/,
    );
    expect(() => parseSettings({ MONGO_URI: 'mongodb://u:pa:ss@word@h/x' })).toThrow(/^MONGO_URI is no mongodb/);
    expect(() => parseSettings({ MONGO_URI: 'mongodb://h' })).toThrow(/names a database/);
  });
});

it('withOneHost keeps all but the hosts', () => {
  expect(withOneHost('mongodb://u:p@a:1,b:2/x?tls=true', 'b:2')).toBe('mongodb://u:p@b:2/x?tls=true');
  expect(withOneHost('mongodb://a:1,b:2', 'a:1')).toBe('mongodb://a:1');
});
