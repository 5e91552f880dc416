// Loss and accuracy of a training, as two lines that grow.

const SVG = 'http://www.w3.org/2000/svg'
const [WIDTH, HEIGHT, MARGIN] = [320, 120, 6]

export class Curve {
  private losses: number[] = []
  private accuracies: number[] = []
  private readonly loss: SVGPolylineElement
  private readonly accuracy: SVGPolylineElement

  constructor(private readonly svg: SVGSVGElement) {
    svg.setAttribute('viewBox', `0 0 ${WIDTH} ${HEIGHT}`)
    svg.setAttribute('preserveAspectRatio', 'none')
    this.loss = this.line('loss')
    this.accuracy = this.line('accuracy')
  }

  clear(): void {
    this.losses = []
    this.accuracies = []
    this.paint()
  }

  // `loss` is above 0; `accuracy` is from 0 to 1.
  add(loss: number, accuracy: number): void {
    this.losses.push(loss)
    this.accuracies.push(accuracy)
    this.paint()
  }

  private line(name: string): SVGPolylineElement {
    const line = document.createElementNS(SVG, 'polyline')
    line.setAttribute('class', `line ${name}`)
    this.svg.append(line)
    return line
  }

  private paint(): void {
    const highest = Math.max(...this.losses, 1e-6)
    this.loss.setAttribute('points', points(this.losses.map((loss) => loss / highest)))
    this.accuracy.setAttribute('points', points(this.accuracies))
  }
}

function points(heights: number[]): string {
  const step = (WIDTH - 2 * MARGIN) / Math.max(1, heights.length - 1)
  const rise = HEIGHT - 2 * MARGIN
  // A lone value is a line, too: a point would not be seen.
  const shown = heights.length === 1 ? [heights[0]!, heights[0]!] : heights
  const wide = heights.length === 1 ? WIDTH - 2 * MARGIN : step
  return shown
    .map((height, i) => `${(MARGIN + i * wide).toFixed(1)},${(MARGIN + rise * (1 - height)).toFixed(1)}`)
    .join(' ')
}
