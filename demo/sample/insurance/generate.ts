import { type AuditEntry, auditoria } from './audit';
import { type Claim, type Payment, pagos, reclamos } from './claims';
import { type Agent, agents, type Beneficiary, beneficiaries, type Client, clients } from './clients';
import { type Cover, coberturas, type Policy, policies } from './policies';
import { type Product, products } from './products';
import { type User, users } from './users';
import { createWorld, DEFAULT_SEED } from './world';

/** One table: each call streams its rows from the start, in constant memory and in the order of the key. */
export type Rows<Row> = () => Generator<Row>;

/** The tables of the insurance company, by database, parents before children. Keys match across the three. */
export interface Sample {
  mysql: { users: Rows<User>; agents: Rows<Agent>; clients: Rows<Client>; beneficiaries: Rows<Beneficiary> };
  postgresql: { products: Rows<Product>; policies: Rows<Policy>; coberturas: Rows<Cover> };
  cassandra: { reclamos: Rows<Claim>; pagos: Rows<Payment>; auditoria: Rows<AuditEntry> };
}

/**
 * The sample data: a pure function of scale (1 is about 30,000 rows, any positive number will do) and seed.
 * Amounts are decimal text, dates and times text in UTC, made of integers all the way.
 *
 * @throws RangeError on a scale that is not positive or a seed that is no integer.
 */
export const generate = (scale = 1, seed = DEFAULT_SEED): Sample => {
  const world = createWorld(scale, seed);
  return {
    mysql: {
      users: () => users(world),
      agents: () => agents(world),
      clients: () => clients(world),
      beneficiaries: () => beneficiaries(world),
    },
    postgresql: {
      products: () => products(world),
      policies: () => policies(world),
      coberturas: () => coberturas(world),
    },
    cassandra: {
      reclamos: () => reclamos(world),
      pagos: () => pagos(world),
      auditoria: () => auditoria(world),
    },
  };
};
