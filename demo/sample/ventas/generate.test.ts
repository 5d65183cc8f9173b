import { deliver } from './generate';

const rows = (table: keyof ReturnType<typeof deliver>, seed?: number) => [...deliver(seed)[table]()];

describe('the sales sample', () => {
  it('is the same for the same seed', () => {
    for (const table of ['productos', 'clientes', 'ventas', 'inventario'] as const) {
      expect(rows(table, 7)).toEqual(rows(table, 7));
    }
    expect(rows('ventas', 7)).not.toEqual(rows('ventas', 8));
    expect(() => deliver(0.5)).toThrow('seed');
  });

  it('has 10 products, 20 clients and 5,500 sales', () => {
    expect(['productos', 'clientes', 'ventas'].map((table) => rows(table as 'ventas').length)).toEqual([10, 20, 5500]);
    expect(rows('productos')[0]!.producto_id).toBe('prod001');
  });

  it('has what deliveries have: mixed dates, dates to come, unknown products and clients', () => {
    const sales = rows('ventas');
    for (const form of [
      /^\d{4}-\d\d-\d\d$/,
      /^\d\d\/\d\d\/\d{4}$/,
      /^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d$/,
      /^\d+-\d+-\d\d$/,
    ]) {
      expect(sales.filter(({ fecha }) => form.test(fecha!)).length).toBeGreaterThan(500);
    }
    const known = (table: 'productos' | 'clientes', id: string) => new Set(rows(table).map((row) => row[id]));
    const [products, clients] = [known('productos', 'producto_id'), known('clientes', 'cliente_id')];
    expect(sales.filter(({ producto_id }) => !products.has(producto_id)).length).toBeGreaterThan(50);
    expect(sales.filter(({ cliente_id }) => !clients.has(cliente_id)).length).toBeGreaterThan(50);
    expect(sales.filter(({ fecha }) => fecha!.includes('2031')).length).toBeGreaterThan(10);
    expect(new Set(sales.map(({ producto_id }) => producto_id)).size).toBeGreaterThan(products.size);
  });
});
