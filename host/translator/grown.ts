// Columns that grow.

/** A copy of the column of twice the length, or of `length`. */
export function grown(column: Int32Array, length = column.length * 2): Int32Array {
  const longer = new Int32Array(length);
  longer.set(column);
  return longer;
}
