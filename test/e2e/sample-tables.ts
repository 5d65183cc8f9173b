/** A few awkward rows with a password column, in SQL that both engines take. */
export const SAMPLE_SQL = [
  `CREATE TABLE users (id INT PRIMARY KEY, nombre VARCHAR(40), password_hash VARCHAR(60), nota VARCHAR(60))`,
  `INSERT INTO users VALUES (1, 'Ñandú "Ana"', 'CANARY-hash-1', 'a,b'), (2, '', 'CANARY-hash-2', NULL)`,
  `CREATE TABLE empty_table (id INT PRIMARY KEY, amount DECIMAL(20,4))`,
];

/** The CSV that `users` must become, byte for byte. */
export const USERS_CSV = 'id,nombre,nota\n1,"Ñandú ""Ana""","a,b"\n2,"",\n';
