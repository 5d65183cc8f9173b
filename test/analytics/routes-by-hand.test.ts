import request from 'supertest';
import { generate } from '../../demo/sample/insurance/generate';
import { deliver } from '../../demo/sample/ventas/generate';
import { expectedClaims, expectedPayments } from './expected-claims';
import { expectedAgents, expectedLosses, expectedProfile } from './expected-cross';
import { groupBy, total } from './figures';
import { type AnalyticsApp, analyticsApp } from './sample-app';
import { type SampleLake, sampleLake, type Typing } from './sample-lake';

const sample = generate();

describe.each<Typing>(['typed', 'text'])(
  'routes over tables that come %s, against the rows they were made of',
  (typing) => {
    let lake: SampleLake;
    let analytics: AnalyticsApp;
    beforeAll(async () => {
      lake = await sampleLake(typing);
      analytics = await analyticsApp(lake);
    });
    afterAll(async () => {
      await analytics?.close();
      await lake?.remove();
    });

    /** With the text beside the value: fields have an order. */
    const expectAnswer = async (path: string, expected: object) => {
      const { status, body, text } = await request(analytics.app).get(path);
      expect({ status, body }).toEqual({ status: 200, body: expected });
      expect(text).toBe(JSON.stringify(expected));
    };

    it('claims', () => expectAnswer('/cassandra/analytics/claims', { as_of: '2026-11-05', ...expectedClaims(sample) }));

    it('claims against payments', () =>
      expectAnswer('/cassandra/analytics/claims-payments-correlation', {
        as_of: '2026-11-05',
        ...expectedPayments(sample, '2026-11-05'),
      }));

    it('profile of the customers', () =>
      expectAnswer('/cross/analytics/customer-policy-profile', {
        as_of: '2026-11-03',
        ...expectedProfile(sample, '2026-11-03'),
      }));

    it('performance of the agents', () =>
      expectAnswer('/cross/analytics/agent-performance', { as_of: '2026-11-03', ...expectedAgents(sample) }));

    it('claims against policies', () =>
      expectAnswer('/cross/analytics/claims-vs-policies', { as_of: '2026-11-04', ...expectedLosses(sample) }));

    it('units sold per category, of known products, the larger first', async () => {
      const { productos, ventas } = deliver();
      const categories = new Map([...productos()].map(({ producto_id, categoria }) => [producto_id!, categoria!]));
      const known = [...ventas()].filter((sale) => categories.has(sale.producto_id!));
      const units = [...groupBy(known, (sale) => categories.get(sale.producto_id!)!)].map(
        ([category, sales]) => [category, total(sales.map(({ cantidad }) => Number(cantidad)))] as const,
      );
      expect(known.length).toBeLessThan([...ventas()].length);
      await expectAnswer('/ventas/resumen_por_categoria', Object.fromEntries(units.sort((a, b) => b[1] - a[1])));
    });
  },
);
