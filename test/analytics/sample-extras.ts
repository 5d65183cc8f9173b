/**
 * What the sample lacks. The mean of 1.00 and 1.01 is half a cent that no double holds: 1.005 is less than that in binary.
 * The same goes for 8.57 and 8.58.
 */
export const POSTGRESQL_EXTRAS = `
  INSERT INTO products VALUES (901, 'MED-901', 'Medio céntimo', 'medio', 1, 0.5, true, NULL, '2024-01-01 00:00:00+00');
  INSERT INTO policies VALUES
    (900001, 'P-900001', 1, 1, 901, 'activa', 1.00, 8.57, '2026-01-01', '2027-01-01', NULL),
    (900002, 'P-900002', 2, 1, 901, 'vencida', 1.01, 8.58, '2026-01-01', '2027-01-01', NULL);
  INSERT INTO coberturas VALUES (900001, 900001, 'medio', 1.00, 8.57), (900002, 900002, 'medio', 1.01, 8.58)`;

export const CASSANDRA_EXTRAS = ['1.00', '1.01'].map(
  (amount) => `INSERT INTO reclamos (id, policy_id, client_id, tipo, estado, monto_reclamado, fecha)
    VALUES (uuid(), 900001, 1, 'medio', 'aprobado', ${amount}, '2026-10-01T12:00:00Z')`,
);

/** What stands in a delivered file where units should: none of them counts. */
export const UNUSABLE_QUANTITIES = ['nan', 'NaN', 'inf', '-Infinity', '1e300', '', 'dos', '1,5', '0x10'];
