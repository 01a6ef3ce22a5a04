// The ways of looking: mode, the line or opacity that goes with some of them, which of two blinks, zoom.

function wireViews() {
  one("#views").addEventListener("change", (event) => chooseMode(event.target.value));
  one("#share").addEventListener("input", (event) => moveShare(event.target.valueAsNumber / 100));
  one("#gain").addEventListener("change", (event) => setGain(event.target.value));
  one("#flip").addEventListener("click", flipByHand);
  one("#save-frame").addEventListener("click", saveFrame);
  const canvas = one('[data-side="both"] .picture > canvas');
  canvas.addEventListener("pointermove", (event) => {
    const place = shareOf(event, canvas);
    if (player.view === "slider" && !(event.pointerType === "mouse" && event.buttons && zoom.scale > 1)) moveShare(place.across);
    if (player.view === "heat") tellHeat(place);
  });
  canvas.addEventListener("pointerleave", () => (one("#heat-value").value = ""));
  new ResizeObserver(placeDivider).observe(canvas);
  one("#zoom-in").addEventListener("click", () => zoom.by(1.5));
  one("#zoom-out").addEventListener("click", () => zoom.by(1 / 1.5));
  one("#zoom-off").addEventListener("click", () => zoom.set(1, 0, 0));
  drawHeatScale(one("#heat-scale"));
}

/** Look in another way, and keep that for the next page. */
function chooseMode(mode) {
  select({ mode });
  keep("mode", selected.mode);
}

/** Return where the picture of a canvas is on the screen, without the margins that keep its shape. */
function drawnBox(canvas) {
  const { left, top, width, height } = canvas.getBoundingClientRect();
  const scale = Math.min(width / canvas.width, height / canvas.height);
  const drawn = { width: canvas.width * scale, height: canvas.height * scale };
  return { ...drawn, left: left + (width - drawn.width) / 2, top: top + (height - drawn.height) / 2 };
}

/** Return the share of the width at which the slider parts the pictures, on the border of a pixel. */
function dividerShare(canvas) {
  return Math.round(canvas.width * player.share) / canvas.width;
}

/** Lay the slider's line where the pictures part; it is two pixels wide, however far they are zoomed. */
function placeDivider() {
  if (player.view !== "slider") return;
  const canvas = one('[data-side="both"] .picture > canvas');
  const { left, width } = drawnBox(canvas);
  one("#divider").style.left = `${left + width * dividerShare(canvas) - canvas.parentElement.getBoundingClientRect().left}px`;
}

/** Brighten the difference by one of the factors that the menu has. */
function setGain(wanted) {
  const menu = one("#gain");
  const known = [...menu.options].some((option) => option.value === String(wanted));
  player.gain = known ? Number(wanted) : 4;
  menu.value = player.gain;
  for (const text of all(".of-gain")) text.textContent = player.gain;
  one("#full-level").textContent = Math.min(255, 256 / player.gain);
  player.paintBoth();
  if (selected.prompt !== null) remember();
}

function shareOf(event, canvas) {
  const box = drawnBox(canvas);
  return { across: (event.clientX - box.left) / box.width, down: (event.clientY - box.top) / box.height };
}

/** Put the line, or the opacity of the upper picture. */
function moveShare(share) {
  player.share = Math.min(1, Math.max(0, share));
  one("#share").value = 100 * player.share;
  player.paintBoth();
  remember();
}

/** Show the other of two blinking pictures and leave it at that. */
function flipByHand() {
  if (player.view !== "blink") return;
  clearInterval(player.blinking);
  player.flip();
}

function tellHeat({ across, down }) {
  const value = player.heat?.at(player.position, across, down) ?? null;
  one("#heat-value").value = value === null ? "" : shareText(value);
}

/** Write a share with two decimals; what is not 0 or 1 is not rounded onto it. */
function shareText(share) {
  if (share > 0 && share < 0.005) return "<0.01";
  if (share < 1 && share >= 0.995) return ">0.99";
  return share.toFixed(2);
}

/** Return the mode that is asked for, if these two clips can be shown so. */
function possibleMode(mode, heat) {
  return Object.hasOwn(MODES, mode) && (mode !== "heat" || heat) ? mode : "side";
}

function showMode(mode, heat) {
  for (const radio of all("#views input")) {
    radio.checked = radio.value === mode;
    if (radio.value !== "heat") continue;
    radio.disabled = !heat;
    radio.parentElement.title = heat ? "" : radio.dataset.why;
  }
  if (player.view !== mode) player.view = mode;
}

function flipped(second) {
  for (const text of all(".of-flipped")) text.textContent = nameOf(second ? selected.variant : selected.against);
}

function zoomChanged({ scale }) {
  one("#zoom-value").value = `${Math.round(100 * scale)} %`;
  if (selected.prompt !== null) placeDivider();
  if (selected.prompt !== null) remember();
}
