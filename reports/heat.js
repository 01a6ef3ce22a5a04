// The measured map of every frame pair: one grey picture with a tile for each pair, from left to right, then down, whose
// levels are values, coloured here. Nothing is measured in the browser.

const HEAT = [[68, 1, 84], [59, 82, 139], [33, 145, 140], [94, 201, 98], [253, 231, 37]]; // viridis: dark is alike

/** Return the colour of a level: 255 is the same (dark), 0 the farthest apart (bright). */
function heatColour(level) {
  const at = ((255 - level) / 255) * (HEAT.length - 1);
  const [low, high] = [HEAT[Math.floor(at)], HEAT[Math.ceil(at)]];
  return low.map((value, n) => Math.round(value + (high[n] - value) * (at - Math.floor(at))));
}

class HeatMap {
  /** Args: a grey PNG in base64, the size of a tile in cells, and how many tiles lie side by side. */
  constructor({ png, columns, rows, across }) {
    Object.assign(this, { columns, rows, across, levels: null, tile: new OffscreenCanvas(columns, rows) });
    this.ready = this.read(png);
  }

  async read(png) {
    const picture = new Image();
    picture.src = `data:image/png;base64,${png}`;
    await picture.decode();
    const context = new OffscreenCanvas(picture.width, picture.height).getContext("2d", { willReadFrequently: true });
    context.drawImage(picture, 0, 0);
    const pixels = context.getImageData(0, 0, picture.width, picture.height).data;
    this.levels = Uint8Array.from({ length: picture.width * picture.height }, (_, n) => pixels[4 * n]);
  }

  /** Colour the tile of a pair over a whole canvas; cells stay squares, so that none looks more exact than it is. */
  drawOn(context, position) {
    if (this.level(position, 0, 0) === undefined) return;
    const drawn = new ImageData(this.columns, this.rows);
    for (let n = 0; n < this.columns * this.rows; n += 1) {
      const level = this.level(position, Math.floor(n / this.columns), n % this.columns);
      drawn.data.set([...heatColour(level), 255], 4 * n);
    }
    this.tile.getContext("2d").putImageData(drawn, 0, 0);
    context.imageSmoothingEnabled = false;
    context.drawImage(this.tile, 0, 0, context.canvas.width, context.canvas.height);
  }

  /** Return the value at a place given in shares of width and height; null where there is none. */
  at(position, across, down) {
    const column = Math.min(this.columns - 1, Math.max(0, Math.floor(across * this.columns)));
    const row = Math.min(this.rows - 1, Math.max(0, Math.floor(down * this.rows)));
    const level = this.level(position, row, column);
    return level === undefined ? null : level / 255;
  }

  /** Return the level of a cell of a pair's tile. */
  level(position, row, column) {
    const [line, place] = [Math.floor(position / this.across), position % this.across];
    return this.levels?.[((line * this.rows + row) * this.across + place) * this.columns + column];
  }
}

/** Paint the scale that goes with the map, from the same (left) to the farthest (right). */
function drawHeatScale(canvas) {
  Object.assign(canvas, { width: 256, height: 1 });
  const context = canvas.getContext("2d");
  for (let n = 0; n < 256; n += 1) {
    context.fillStyle = `rgb(${heatColour(255 - n).join(" ")})`;
    context.fillRect(n, 0, 1, 1);
  }
}
