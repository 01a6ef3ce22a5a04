// What is shown as a PNG: the pictures in whole pixels, with the labels that they have on the page, and the frame's number.

const SAVED_WIDTH = 480; // pixels: a smaller picture is enlarged by a whole number, so that its labels can be read
const SAVED_GAP = 8;
const SAVED_FOOT = 26;

/** Draw what the player shows into one canvas, at most three pictures in a row. */
function shownAsOne() {
  const canvases = [...player.stage.querySelectorAll(".picture > canvas")].filter((canvas) => canvas.getClientRects().length);
  const sizes = canvases.map((canvas) => enlarged(canvas));
  const [wide, high] = [0, 1].map((side) => Math.max(...sizes.map((size) => size[side])) + SAVED_GAP);
  const columns = Math.min(3, canvases.length);
  const sheet = document.createElement("canvas");
  sheet.width = columns * wide - SAVED_GAP;
  sheet.height = Math.ceil(canvases.length / columns) * high - SAVED_GAP + SAVED_FOOT;
  const context = sheet.getContext("2d");
  context.fillStyle = "#121517";
  context.fillRect(0, 0, sheet.width, sheet.height);
  Object.assign(context, { font: "14px system-ui, sans-serif", textBaseline: "middle", imageSmoothingEnabled: false });
  for (const [n, canvas] of canvases.entries()) drawShown(context, canvas, (n % columns) * wide, Math.floor(n / columns) * high, sizes[n]);
  context.fillStyle = "#e6e9ec";
  const told = [selected.prompt, one(".counter").textContent.replace(/\s+/g, " ").trim()].join(" · ");
  context.fillText(told, 8, sheet.height - SAVED_FOOT / 2, sheet.width - 16);
  return sheet;
}

function enlarged({ width, height }) {
  const factor = Math.max(1, Math.ceil(SAVED_WIDTH / width));
  return [width * factor, height * factor];
}

function drawShown(context, canvas, left, top, [width, height]) {
  context.drawImage(canvas, left, top, width, height);
  if (player.view === "slider" && canvas.closest(".both")) {
    context.fillStyle = "#fff";
    context.fillRect(left + dividerShare(canvas) * width - 1, top, 2, height);
  }
  for (const tag of canvas.parentElement.querySelectorAll(".tag")) if (tag.getClientRects().length) drawTag(context, tag, left, top, width);
}

function drawTag(context, tag, left, top, width) {
  const text = tag.textContent.replace(/\s+/g, " ").trim();
  const wide = Math.min(width / 2 - 12, context.measureText(text).width + 14);
  const x = tag.classList.contains("at-right") ? left + width - wide - 6 : left + 6;
  context.fillStyle = "rgb(0 0 0 / 0.72)";
  context.fillRect(x, top + 6, wide, 22);
  context.fillStyle = "#fff";
  context.fillText(text, x + 7, top + 17, wide - 14);
}

/** Hand a PNG of what is shown to the browser, to be saved. */
function saveFrame() {
  player.pause();
  const name = ["spacediff", selected.variant, `frame-${currentFrame()}`, selected.mode].join("-").replace(/[^\w.-]+/g, "_");
  shownAsOne().toBlob((blob) => {
    const link = Object.assign(document.createElement("a"), { href: URL.createObjectURL(blob), download: `${name}.png` });
    link.click();
    setTimeout(() => URL.revokeObjectURL(link.href), 60_000);
  });
}
