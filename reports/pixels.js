// What the pixels under the pointer are: the 8-bit levels of the previews at the same place of both pictures.

const probe = new OffscreenCanvas(1, 1).getContext("2d", { willReadFrequently: true }); // reading the players' own would slow them

/** Return the pixel of a canvas at a place given in shares of width and height: { x, y, levels }. */
function pixelAt(canvas, { across, down }) {
  const [x, y] = [Math.floor(across * canvas.width), Math.floor(down * canvas.height)];
  probe.drawImage(canvas, x, y, 1, 1, 0, 0, 1, 1);
  return { x, y, levels: [...probe.getImageData(0, 0, 1, 1).data].slice(0, 3) };
}

let pointedPlace = null;

/** Show the pixels at a place of the pictures; null shows none. */
function tellPixels(place) {
  const inside = place && place.across >= 0 && place.across < 1 && place.down >= 0 && place.down < 1;
  pointedPlace = inside ? place : null;
  const sides = ["reference", "variant"].filter((side) => player.sides[side]);
  const found = inside ? sides.map((side) => [side, pixelAt(player.panes[side].querySelector(".picture > canvas"), place)]) : [];
  one("#pixel-hint").hidden = found.length > 0;
  one("#pixel").value = found.map(([side, { x, y, levels }]) => `${nameOf(side === "reference" ? selected.against : selected.variant)} (${x}, ${y}): ${levels.join(" ")}`).join("  ·  ");
}

/** Say the pixels at the same place of the frame that has come. */
function tellPixelsAgain() {
  if (pointedPlace) tellPixels(pointedPlace);
}

function wirePixels() {
  for (const picture of player.stage.querySelectorAll(".picture")) {
    const canvas = picture.querySelector("canvas");
    picture.addEventListener("pointermove", (event) => !canvas.hidden && tellPixels(shareOf(event, canvas)));
    picture.addEventListener("pointerleave", () => tellPixels(null));
  }
}
