/** The nearest-rank quantile, rounded to a tenth; `undefined` for no values. */
export function quantile(values: readonly number[], share: number): number | undefined {
  const value = values.toSorted((a, b) => a - b)[Math.ceil(values.length * share) - 1]
  return value === undefined ? undefined : Math.round(value * 10) / 10
}
