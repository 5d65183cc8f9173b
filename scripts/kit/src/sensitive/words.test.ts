import { wordsOf } from './words';

it.each([
  ['contraseñaHash', ['contrasena', 'hash']],
  ['CONTRASENA_HASH', ['contrasena', 'hash']],
  ['contrasena-hash', ['contrasena', 'hash']],
  ['APIToken', ['api', 'token']],
  ['userPWDHash', ['user', 'pwd', 'hash']],
  ['oauth2Token', ['oauth', 'token']],
  ['ÁrbolÑandú', ['arbol', 'nandu']],
  ['  a  1 b ', ['a', 'b']],
  ['漢字_x', ['漢字', 'x']],
  ['', []],
])('wordsOf(%j)', (name, words) => {
  expect(wordsOf(name)).toEqual(words);
});
