// Ways of showing two pictures as one. Each paints onto one canvas from the two that the player has drawn, so all of
// them are as exact in frames as the player is. A variant of another size is drawn at the reference's; the page says so.

const MODES = {
  /** The left picture left of a line, the right one right of it. */
  slider(canvas, left, right, { share }) {
    const context = fitted(canvas, left);
    const { width, height } = canvas;
    const edge = Math.round(width * share);
    context.drawImage(left, 0, 0);
    context.save();
    context.beginPath();
    context.rect(edge, 0, width - edge, height);
    context.clip();
    context.drawImage(right, 0, 0, width, height);
    context.restore(); // the line between them lies over the canvas: it is as wide at any zoom
  },

  /** One after the other, in the same place. */
  blink(canvas, left, right, { flipped }) {
    const context = fitted(canvas, left);
    context.drawImage(flipped ? right : left, 0, 0, canvas.width, canvas.height);
  },

  /** |left - right| times the gain, a power of two: the canvas is doubled by adding it to itself. */
  difference(canvas, left, right, { gain }) {
    const context = fitted(canvas, left);
    context.drawImage(left, 0, 0);
    context.globalCompositeOperation = "difference";
    context.drawImage(right, 0, 0, canvas.width, canvas.height);
    context.globalCompositeOperation = "lighter";
    for (let reached = 1; reached < gain; reached *= 2) context.drawImage(canvas, 0, 0);
  },

  /** The measured map of this pair of frames. */
  heat(canvas, left, right, { heat, position }) {
    heat?.drawOn(fitted(canvas, left), position);
  },

  /** Several clips: each has a canvas of its own (grid.js). */
  grid() {},

  /** The right picture over the left one, as a sheet that lets light through. */
  onion(canvas, left, right, { share }) {
    const context = fitted(canvas, left);
    context.drawImage(left, 0, 0);
    context.globalAlpha = share;
    context.drawImage(right, 0, 0, canvas.width, canvas.height);
  },
};

function fitted(canvas, { width, height }) {
  Object.assign(canvas, { width, height }); // this also clears it, and its drawing state
  return canvas.getContext("2d");
}
