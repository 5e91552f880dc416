/** Numbers row by row, of a height and a width. */
export interface Grid {
  readonly values: Float64Array
  readonly height: number
  readonly width: number
}

/**
 * Returns a grid of another size: sums over the areas that its pixels cover, by step 7 of
 * `data/drawing.py`. Each is `grid.height * grid.width` times the mean; all are whole numbers.
 */
export function areaSums(grid: Grid, height: number, width: number): Grid {
  return turned(rowSums(turned(rowSums(grid, height)), width))
}

/** Returns a grid with rows and columns exchanged. */
export function turned({ values, height, width }: Grid): Grid {
  const exchanged = values.map((_, place) => {
    const [column, row] = [Math.floor(place / height), place % height]
    return values[row * width + column] as number
  })
  return { values: exchanged, height: width, width: height }
}

function rowSums({ values, height, width }: Grid, rows: number): Grid {
  const sums = new Float64Array(rows * width)
  for (let row = 0; row < rows; row++) {
    const [start, stop] = [row * height, (row + 1) * height]
    for (let old = Math.floor(start / rows); old * rows < stop; old++) {
      const part = Math.min((old + 1) * rows, stop) - Math.max(old * rows, start)
      for (let column = 0; column < width; column++) {
        const place = row * width + column
        sums[place] = (sums[place] as number) + part * (values[old * width + column] as number)
      }
    }
  }
  return { values: sums, height: rows, width }
}
