/** One word after the other in one string: the formatter would give each its own line. */
const words = (text: string): readonly string[] => text.split('|');

/** First names with the gender they usually go with. */
export const NAMES = {
  F: words('María|Rosa|Lucía|Ximena|Milagros|Flor|Yésica|Noemí|Begoña|Ana Sofía|Killa|Carmen'),
  M: words('José|Luis|Ángel|Iñigo|César|Raúl|Wilmer|Óscar|Inti|Juan Martín|Hugo|Percy'),
};

export const SURNAMES = words(
  'Quispe|Mamani|Flores|Huamán|Núñez|Peña|Ñahui|Ibáñez|Chávez|Ccopa|Güere|Vásquez|Salas|Zúñiga|Condori|Rojas|' +
    "Castañeda|D'Angelo|Yupanqui|Torres|Muñoz|Apaza|León|De la Cruz|Sánchez-Paredes|Vílchez",
);

/** Regions of Peru; those that stand more than once hold more of the people. */
export const REGIONS = words(
  'Lima|Lima|Lima|Lima|Lima|Lima|Lima|Lima|Arequipa|Arequipa|La Libertad|La Libertad|Piura|Piura|Cusco|Cusco|Callao|' +
    'Callao|Junín|Junín|Lambayeque|Puno|Áncash|Cajamarca|Ica|Loreto|Tacna|San Martín|Ucayali|Ayacucho|Huánuco|' +
    'Apurímac|Amazonas|Moquegua|Pasco|Tumbes|Huancavelica|Madre de Dios',
);

export const OCCUPATIONS = words(
  'Docente|Comerciante|Ingeniera civil|Taxista|Enfermero|Agricultora|Abogado, notario|Diseñadora|Jubilado|Estudiante|' +
    'Chef|Contador "senior"|Minero|Pescadora artesanal|',
);

export const RELATIONSHIPS: readonly (string | null)[] = [
  ...words('Cónyuge|Hija|Hijo|Madre|Padre|Hermana|Hermano|Otro|'),
  null,
];

/** Text that breaks careless CSV writers, readers and spreadsheets. Every one is valid in all the databases. */
export const AWKWARD_TEXTS = [
  'Dijo: "no fue mi culpa", y se fue', // quotes and comma
  'Primera línea\nsegunda línea', // LF inside a field
  'Primera línea\r\nsegunda línea\r\n', // CRLF, also at the end
  '"', // a lone quote
  '', // empty, which is not NULL
  ' con espacios alrededor ', // must not be trimmed
  'NULL', // the word, not the value
  '\\N', // what COPY and mysqldump write for NULL
  '\\.', // the end mark of COPY
  'C:\\temp\\nueva', // backslashes that are no escapes
  'ñandú 🚗💥 en la vía', // four-byte characters
  '👩‍👩‍👧‍👦', // one glyph, seven code points
  'cafe\u0301', // decomposed é
  '\ufeffcon BOM', // a byte order mark that is content
  '=1+1', // a formula to a spreadsheet
  "O'Higgins; DROP TABLE policies; --",
  'tab\taquí',
  '¿Сколько? كم 多少',
] as const;
