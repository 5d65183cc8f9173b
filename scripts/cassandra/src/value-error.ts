/** Bytes or a type that do not fit what the schema said a moment ago. */
export class ValueError extends Error {
  override readonly name = 'ValueError';
}
