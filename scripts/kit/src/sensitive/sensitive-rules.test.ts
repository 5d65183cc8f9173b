import { builtInRule, globToRegExp, sensitiveRules } from './sensitive-rules';

const STYLES: [string, (words: string[]) => string][] = [
  ['snake_case', (words) => words.join('_')],
  ['SCREAMING_SNAKE', (words) => words.join('_').toUpperCase()],
  ['kebab-case', (words) => words.join('-')],
  ['camelCase', (words) => words.map((word, i) => (i === 0 ? word : capital(word))).join('')],
  ['PascalCase', (words) => words.map(capital).join('')],
  ['Title Case', (words) => words.map(capital).join(' ')],
  ['dotted', (words) => words.join('.')],
  ['numbered', (words) => `${words.join('_')}_2`],
];
const capital = (word: string) => word[0]!.toUpperCase() + word.slice(1);

describe.each(STYLES)('the built-in rules, in %s', (_, styled) => {
  it.each([
    ['password'],
    ['user', 'password'],
    ['password', 'hash'],
    ['passwords'],
    ['passwd'],
    ['pwd'],
    ['hash', 'pwd'],
    ['contrasena'],
    ['contraseña'],
    ['contraseñas', 'anteriores'],
    ['clave'],
    ['claves'],
    ['clave', 'usuario'],
    ['clave', 'acceso'],
    ['acceso', 'clave'],
    ['clave', 'de', 'acceso'],
    ['clave', 'del', 'usuario'],
    ['clave', 'secreta'],
    ['claves', 'secretas'],
    ['clave', 'hash'],
    ['pass', 'hash'],
    ['secret'],
    ['client', 'secret'],
    ['token'],
    ['tokens'],
    ['access', 'token'],
    ['token', 'expiry'],
    ['salt'],
    ['salt', 'value'],
  ])('drop %s %s %s', (...words) => {
    expect(builtInRule(styled(words))).not.toBeNull();
  });

  it.each([
    ['id'],
    ['description'],
    ['descripción'],
    ['clave', 'producto'],
    ['palabra', 'clave'],
    ['palabras', 'clave'],
    ['hash'],
    ['content', 'hash'],
    ['hash', 'archivo'],
    ['saltar'],
    ['salto', 'linea'],
    ['basalt'],
    ['secretaria'],
    ['secretario', 'nombre'],
    ['tokenizer'],
    ['acceso'],
    ['usuario'],
    ['enclave'],
    ['compass'],
    ['bypass', 'reason'],
  ])('keep %s %s', (...words) => {
    expect(builtInRule(styled(words))).toBeNull();
  });
});

describe('the built-in rules', () => {
  it.each([
    // As PostgreSQL folds names that nobody quoted.
    'userpassword',
    'passwordhash',
    'accesstoken',
    'refreshtokens',
    'clientsecret',
    'userpwd',
    'claveusuario',
    'claveacceso',
    'accesoclave',
    'clavesecreta',
    'passhash',
    // Words cut where nobody expects it, acronyms, decomposed letters.
    'PassWord',
    'PASS_WORD',
    'pass\u200bword',
    'userPWDHash',
    'APIToken',
    'OAuth2Token',
    'tokenID',
    'contrasen\u0303a',
    'CONTRASEN\u0303A',
    'CONTRASEÑA',
    'contraseñaHash',
  ])('drop %j', (name) => {
    expect(builtInRule(name)).not.toBeNull();
  });

  it.each(['', '_', '123', '漢字', 'clave_producto_acceso', 'tokenized', 'pwdless', 'saltos'])('keep %j', (name) => {
    expect(builtInRule(name)).toBeNull();
  });

  it('take no time for a key of a megabyte', () => {
    const started = performance.now();
    expect(builtInRule('A'.repeat(1_000_000))).toBeNull();
    // 10^12 steps would take longer, on any machine.
    expect(performance.now() - started).toBeLessThan(30_000);
  });
});

describe('sensitiveRules', () => {
  const reason = (add: string, table: string, path: string[], allow?: string) =>
    sensitiveRules('mysql', { add, allow }).reason(table, path);

  it('say why', () => {
    expect(reason('dni', 'users', ['password_hash'])).toBe('built-in rule: password');
    expect(reason(' dni , x', 'users', ['dni'])).toBe('SENSITIVE_COLUMNS: dni');
    expect(reason('', 'users', ['name'])).toBeNull();
    expect(sensitiveRules('mysql', {}).reason('users', ['token'])).toBe('built-in rule: token');
  });

  it.each<[string, string, string[]]>([
    ['dni', 'users', ['dni']],
    ['dni', 'users', ['datos', 'persona', 'dni']],
    ['DNI', 'users', ['dni']],
    ['dni', 'users', ['DNI']],
    ['users.email', 'users', ['email']],
    ['Users.EMAIL', 'users', ['email']],
    ['users.email', 'ventas.users', ['email']],
    ['ventas.users.email', 'ventas.users', ['email']],
    ['mysql.ventas.users.email', 'ventas.users', ['email']],
    ['mysql.users.*email', 'users', ['email']],
    ['mysql.users.*email', 'users', ['work_email']],
    ['mysql.*.*email', 'clients', ['email']],
    ['contacto.email', 'users', ['contacto', 'email']],
    ['users.datos.email', 'users', ['datos', 'email']],
    ['datos.contacto.email', 'users', ['datos', 'contacto', 'email']],
    ['tel?fono', 'users', ['telefono']],
    ['tel?fono', 'users', ['teléfono']],
    ['tele\u0301fono', 'users', ['teléfono']],
    ['a.b', 'users', ['a.b']],
    ['a+b(c)', 'users', ['a+b(c)']],
  ])('SENSITIVE_COLUMNS=%s drops %s %j', (add, table, path) => {
    expect(reason(add, table, path)).toBe(`SENSITIVE_COLUMNS: ${add}`);
  });

  it.each<[string, string, string[]]>([
    ['dni', 'users', ['dni_tipo']],
    ['dni', 'dni', ['id']],
    ['users.email', 'clients', ['email']],
    ['users.email', 'all_users', ['email']],
    ['postgresql.users.email', 'users', ['email']],
    ['mysql.users.*email', 'users', ['email_verified']],
    ['mysql.users.*email', 'users2', ['email']],
    ['a.b', 'users', ['axb']],
    ['x.mysql.users.email', 'users', ['email']],
  ])('SENSITIVE_COLUMNS=%s keeps %s %j', (add, table, path) => {
    expect(reason(add, table, path)).toBeNull();
  });

  it('match where nobody knows the table, the column, or what it was called', () => {
    const among = (add: string, path: string[], names: string[], allow?: string) =>
      sensitiveRules('mysql', { add, allow }).reason('altas', path, names);
    const names = ['SELECT', 'email', 'FROM', 'Users', 'ventas', 'datos', 'a.b'];
    for (const add of ['users.email', 'mysql.ventas.users.*mail', 'email', 'altas.email', 'users.*']) {
      expect(among(add, ['email'], names)).toBe(`SENSITIVE_COLUMNS: ${add}`);
    }
    expect(among('users.datos.dni', ['d', 'dni'], names)).toBe('SENSITIVE_COLUMNS: users.datos.dni');
    expect(among('users.datos.x.dni', ['d', 'x', 'dni'], names)).toBe('SENSITIVE_COLUMNS: users.datos.x.dni');
    for (const add of ['clients.email', 'users.mail', 'email.users']) expect(among(add, ['email'], names)).toBeNull();
    expect(among('users.email', ['email'], [])).toBeNull();
    expect(among('users.email', ['email'], names, 'email')).toBeNull();
  });

  it('exempt what SENSITIVE_COLUMNS_ALLOW names, and only that', () => {
    const rules = sensitiveRules('mysql', { add: 'users.*', allow: 'token_count,mysql.users.ID' });
    expect(rules.reason('stats', ['token_count'])).toBeNull();
    expect(rules.reason('stats', ['datos', 'token_count'])).toBeNull();
    expect(rules.reason('stats', ['token'])).toBe('built-in rule: token');
    expect(rules.reason('users', ['id'])).toBeNull();
    expect(rules.reason('users', ['name'])).toBe('SENSITIVE_COLUMNS: users.*');
  });

  it('give the same reason to paths that end alike within their reach', () => {
    const rules = sensitiveRules('mysql', { add: 'a.b.c', allow: 'x.token' });
    expect(rules.reach).toBe(3);
    const deep = Array.from({ length: 50_000 }, () => 'k');
    expect(rules.reason('t', [...deep, 'a', 'b', 'c'])).toBe('SENSITIVE_COLUMNS: a.b.c');
    expect(rules.reason('t', [...deep, 'x', 'token'])).toBeNull();
    expect(rules.reason('t', [...deep, 'token'])).toBe('built-in rule: token');
  });
});

describe('globToRegExp', () => {
  it('takes * and ? for wildcards and all else as it is', () => {
    expect(globToRegExp('a*c').test('a\nbc')).toBe(true);
    expect(globToRegExp('a?c').test('a😀c')).toBe(true);
    expect(globToRegExp('a?c').test('ac')).toBe(false);
    expect(globToRegExp('[a].{2}$').test('[a].{2}$')).toBe(true);
    expect(globToRegExp('users').test('Users')).toBe(false);
    expect(globToRegExp('users', 'i').test('Users')).toBe(true);
  });
});
