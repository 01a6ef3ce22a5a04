// The ways of looking: mode, the line or opacity that goes with some of them, which of two blinks, zoom.

function wireViews() {
  one("#views").addEventListener("change", (event) => chooseMode(event.target.value));
  one("#share").addEventListener("input", (event) => moveShare(event.target.valueAsNumber / 100));
  one("#flip").addEventListener("click", flipByHand);
  const canvas = one('[data-side="both"] .picture > canvas');
  canvas.addEventListener("pointermove", (event) => {
    const place = shareOf(event, canvas);
    if (player.view === "slider" && !(event.pointerType === "mouse" && event.buttons && zoom.scale > 1)) moveShare(place.across);
    if (player.view === "heat") tellHeat(place);
  });
  canvas.addEventListener("pointerleave", () => (one("#heat-value").value = ""));
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

function shareOf(event, element) {
  const box = element.getBoundingClientRect();
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
  one("#flipped").textContent = nameOf(second ? selected.variant : selected.against);
}

function zoomChanged({ scale }) {
  one("#zoom-value").value = `${Math.round(100 * scale)} %`;
  if (selected.prompt !== null) remember();
}
