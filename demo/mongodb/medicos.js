// The compose demo's MongoDB, on its first start: run by mongosh in the database that MONGO_INITDB_DATABASE names.
const specialties = ['Cardiología', 'Pediatría', 'Dermatología', 'Neurología', 'Medicina general'];
db.medicos.insertMany(
  Array.from({ length: 150 }, (_, i) => ({
    nombre: `Médico ${i + 1}`,
    especialidad: specialties[i % specialties.length],
    colegiatura: 10_000 + i,
    honorario: NumberDecimal((80 + (i % 9) * 15).toFixed(2)),
    activo: i % 11 !== 0,
    alta: new Date(Date.UTC(2020, i % 12, 1 + (i % 28))),
    // Left out of the export: a password, and one inside a document.
    password: `secreto-${i}`,
    acceso: { usuario: `medico${i}`, clave_usuario: 'x', ultimo: new Date(Date.UTC(2025, 0, 1 + (i % 28))) },
  })),
);
db.createUser({ user: 'demo', pwd: 'demo-password', roles: [{ role: 'read', db: db.getName() }] });
