// Keys for everything. They can be switched off, since a single letter may be what somebody's speech input types.

const MODE_KEYS = { 1: "side", 2: "slider", 3: "blink", 4: "difference", 5: "heat", 6: "onion", 7: "grid" };

const KEYS = {
  " ": () => (player.playing ? player.pause() : player.play()),
  ArrowLeft: () => player.step(-1),
  ArrowRight: () => player.step(1),
  Home: () => seek(0),
  End: () => seek(player.pairs.length - 1),
  "[": () => nextVariant(-1),
  "]": () => nextVariant(1),
  g: () => seekMarked("worst"),
  f: () => seekMarked("divergence"),
  l: () => one("#loop").click(),
  "<": () => changeSpeed(-1),
  ">": () => changeSpeed(1),
  x: () => flipByHand(),
  ",": () => moveShare(player.share - 0.05),
  ".": () => moveShare(player.share + 0.05),
  "+": () => zoom.by(1.5),
  "=": () => zoom.by(1.5),
  "-": () => zoom.by(1 / 1.5),
  0: () => zoom.set(1, 0, 0),
  a: () => zoom.pan(-0.1, 0),
  d: () => zoom.pan(0.1, 0),
  w: () => zoom.pan(0, -0.1),
  s: () => zoom.pan(0, 0.1),
  "?": () => one("#help").showModal(),
  ...Object.fromEntries(Object.entries(MODE_KEYS).map(([key, mode]) => [key, () => chooseMode(mode)])),
};

function wireKeys() {
  addEventListener("keydown", keyPressed);
  one("#keys-on").checked = recalled("keys") !== "off";
  one("#keys-on").addEventListener("change", (event) => keep("keys", event.target.checked ? "on" : "off"));
}

/** Keys drive the player where they belong: with the focus in it, or nowhere while it is in view. */
function keyPressed(event) {
  const action = Object.hasOwn(KEYS, event.key) ? KEYS[event.key] : null;
  if (!action || event.ctrlKey || event.metaKey || event.altKey || one("#help").open) return;
  if (usesKey(event.target, event.key) || (event.key !== "?" && !(one("#keys-on").checked && drivesPlayer(event.target)))) return;
  event.preventDefault();
  action();
}

/** Tell whether a key that goes to an element means the player: a reader farther down scrolls with space and arrows. */
function drivesPlayer(target) {
  if (target.closest(".first-screen, .topbar")) return true;
  const { top, bottom } = player.stage.getBoundingClientRect();
  return bottom > 0 && top < innerHeight && !target.closest(".wide, pre, .long");
}

function usesKey(target, key) {
  if (target.isContentEditable || target.matches('textarea, input:not([type="range"], [type="radio"], [type="checkbox"])')) return true;
  if (key === "[" || key === "]") return false;
  if (target.matches("select")) return true;
  if (target.matches("input[type=range], input[type=radio], .wide, .steps-plot")) return key.length > 1;
  if (target.matches("button, summary, input[type=checkbox], a")) return key === " ";
  return false;
}
