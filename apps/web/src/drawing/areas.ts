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
  const exchanged = new Float64Array(values.length)
  let place = 0
  for (let column = 0; column < width; column++) {
    for (let row = 0; row < height; row++) exchanged[place++] = values[row * width + column]!
  }
  return { values: exchanged, height: width, width: height }
}

function rowSums({ values, height, width }: Grid, rows: number): Grid {
  const sums = new Float64Array(rows * width)
  for (let row = 0; row < rows; row++) {
    const start = row * height
    const stop = start + height
    for (let old = Math.floor(start / rows); old * rows < stop; old++) {
      const part = Math.min((old + 1) * rows, stop) - Math.max(old * rows, start)
      let from = old * width
      for (let place = row * width; place < (row + 1) * width; place++) {
        sums[place]! += part * values[from++]!
      }
    }
  }
  return { values: sums, height: rows, width }
}
