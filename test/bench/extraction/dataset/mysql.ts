import { createConnection } from 'mysql2/promise';
import { createMysql } from '../../../e2e/harness/databases';
import { mysqlEnv } from '../../../services/need';
import { csvStream } from './csv-text';
import type { LoadedTable } from './loaded-table';
import { TABLE } from './row';

const COLUMNS = `id int PRIMARY KEY, account bigint NOT NULL, amount decimal(18,2), ratio double, active boolean, born date,
  seen datetime(6), reference char(36), code varchar(20), note text, attributes json, payload varbinary(16)`;
const NAMES = 'id, account, amount, ratio, active, born, seen, reference, code, note, attributes, @payload';

/** Loads the table by LOAD DATA LOCAL. */
export async function loadMysql(rows: number): Promise<LoadedTable> {
  const created = await createMysql();
  const server = mysqlEnv();
  const { host, port, user, password } = server;
  const connection = await createConnection({ host, port, user, password, database: created.name, charset: 'utf8mb4' });
  try {
    await connection.query(`CREATE TABLE ${TABLE} (${COLUMNS}) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4`);
    await connection.query({
      sql: `LOAD DATA LOCAL INFILE 'rows' INTO TABLE ${TABLE} CHARACTER SET utf8mb4
        FIELDS TERMINATED BY ',' OPTIONALLY ENCLOSED BY '"' ESCAPED BY '' LINES TERMINATED BY '\\n'
        (${NAMES}) SET payload = UNHEX(@payload)`,
      infileStreamFactory: () => csvStream(rows, { nullText: 'NULL', hexPrefix: '' }),
    });
    await connection.query(`ANALYZE TABLE ${TABLE}`);
  } catch (error) {
    await created.drop();
    throw error;
  } finally {
    await connection.end();
  }
  return { rows, database: created.name, server, settings: created.settings, drop: created.drop };
}
