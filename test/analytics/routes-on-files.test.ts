import { describeWith } from '../services/need';
import { IngestedSample } from './ingested-sample';

describeWith(['postgresql'], 'sales routes, against SQL over the delivered files', () => {
  const sample = new IngestedSample();
  beforeAll(async () => {
    await sample.start(['postgresql', 'ventas']);
    await sample.copy('ventas', 'productos', 'producto_id text, categoria text');
    await sample.copy('ventas', 'ventas', 'producto_id text, cantidad text');
  });
  afterAll(() => sample.remove());

  it('units sold per category, of known products and in numbers, the larger first', async () => {
    const isNumber = String.raw`cantidad ~ '^[0-9]+(\.[0-9]+)?$'`;
    const units = await sample.rows(`
      SELECT categoria, sum(cantidad::numeric) FILTER (WHERE ${isNumber}) AS unidades
      FROM ventas.ventas JOIN ventas.productos USING (producto_id)
      GROUP BY categoria ORDER BY 2 DESC`);
    await sample.expectAnswer(
      '/ventas/resumen_por_categoria',
      Object.fromEntries(units.map(({ categoria, unidades }) => [categoria, unidades])),
    );
    // The delivery has what makes it hard.
    const hard = await sample.one(`
      SELECT count(*) FILTER (WHERE NOT ${isNumber}) AS unusable,
        count(*) FILTER (WHERE producto_id NOT IN (SELECT producto_id FROM ventas.productos)) AS unknown
      FROM ventas.ventas`);
    expect(hard).toEqual({ unusable: 9, unknown: expect.any(Number) });
    expect(hard.unknown).toBeGreaterThan(0);
  });
});
