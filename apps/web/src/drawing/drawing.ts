/** How a data set's images were made of single figures, light on black; see `data/drawing.py`. */
export interface Drawing {
  /** Of the figure's longer side, in pixels of a field of `field` times `field`. */
  readonly size: number
  readonly field: number
  /** What lies in the middle: the figure's centre of mass, or that of its box. */
  readonly centre: 'mass' | 'box'
}
