// The sheet to draw on: mouse, finger and pen. Strokes are kept, so that one can be taken back.

interface Point {
  x: number; // in parts of the sheet's side
  y: number
  width: number
}

const SHOWN = 720 // pixels of the bitmap that people see, however large it is shown
const READ = 168 // and of that which becomes the models' image: enough for them, and soon read
const LINE = 0.075; // a line's width in parts of the side
const PAPER = '#ffffff'
const INK = '#14161f'

export class Pad {
  private strokes: Point[][] = []
  private current: Point[] | null = null
  private pointer = -1
  private readonly contexts: readonly CanvasRenderingContext2D[]

  // `changed` is called while a stroke grows, `ended` with the time at which it was ended.
  constructor(
    private readonly canvas: HTMLCanvasElement,
    private readonly changed: () => void,
    private readonly ended: (time: number) => void,
  ) {
    this.contexts = [contextOf(canvas, SHOWN), contextOf(document.createElement('canvas'), READ)]
    this.paint()
    canvas.addEventListener('pointerdown', (event) => this.down(event))
    canvas.addEventListener('pointermove', (event) => this.move(event))
    canvas.addEventListener('pointerup', (event) => this.up(event))
    canvas.addEventListener('pointercancel', (event) => this.up(event))
  }

  get isEmpty(): boolean {
    return !this.strokes.length && !this.current
  }

  pixels(): ImageData {
    return this.contexts[1]!.getImageData(0, 0, READ, READ)
  }

  clear(): void {
    this.strokes = []
    this.current = null
    this.paint()
  }

  undo(): void {
    this.strokes.pop()
    this.paint()
  }

  private down(event: PointerEvent): void {
    if (event.button !== 0 || this.current) return
    event.preventDefault()
    this.canvas.setPointerCapture(event.pointerId)
    this.pointer = event.pointerId
    this.current = [this.point(event)]
    this.line(this.current, 0)
    this.changed()
  }

  private move(event: PointerEvent): void {
    if (!this.current || event.pointerId !== this.pointer) return
    const all = event.getCoalescedEvents?.() ?? []
    const start = this.current.length
    for (const each of all.length ? all : [event]) this.current.push(this.point(each))
    this.line(this.current, start)
    this.changed()
  }

  private up(event: PointerEvent): void {
    if (!this.current || event.pointerId !== this.pointer) return
    this.strokes.push(this.current)
    this.current = null
    this.ended(performance.now())
  }

  private point(event: PointerEvent): Point {
    const box = this.canvas.getBoundingClientRect()
    // Only a pen tells how hard it presses: mice say 0.5, and some fingers 0 or 1.
    const pressure = event.pointerType === 'pen' && event.pressure ? event.pressure : 0.5
    return {
      x: (event.clientX - box.left) / box.width,
      y: (event.clientY - box.top) / box.height,
      width: LINE * (0.6 + 0.8 * pressure),
    }
  }

  private paint(): void {
    for (const context of this.contexts) {
      context.fillStyle = PAPER
      context.fillRect(0, 0, context.canvas.width, context.canvas.height)
    }
    for (const stroke of this.strokes) this.line(stroke, 0)
  }

  private line(points: Point[], start: number): void {
    for (const context of this.contexts) {
      const side = context.canvas.width
      for (let i = start; i < points.length; i++) {
        const [from, to] = [points[Math.max(0, i - 1)]!, points[i]!]
        context.lineWidth = side * to.width
        context.beginPath()
        context.moveTo(from.x * side, from.y * side)
        context.lineTo(to.x * side, to.y * side)
        context.stroke()
      }
    }
  }
}

function contextOf(canvas: HTMLCanvasElement, side: number): CanvasRenderingContext2D {
  canvas.width = canvas.height = side
  const context = canvas.getContext('2d', { willReadFrequently: side === READ })
  if (!context) throw new Error('this browser gives no canvas to draw on; use another')
  context.strokeStyle = INK
  context.lineCap = context.lineJoin = 'round'
  return context
}
