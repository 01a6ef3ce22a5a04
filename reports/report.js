// The page: what is selected, and everybody who has to know. A change goes one way:
// a control or the address -> select() -> panels, player, curve, address.

const one = (selector) => document.querySelector(selector);
const all = (selector) => [...document.querySelectorAll(selector)];

const report = JSON.parse(one("#report-data").textContent);
const videos = JSON.parse(one("#report-clips").textContent);
one("#report-clips").remove(); // megabytes that are not needed twice

const selected = { prompt: null, variant: null, metric: null };
const clips = new Map();

/** Give clips the addresses of their videos; clips with the same frames share one object. */
function withAddress(clip) {
  if (!clip) return null;
  if (!clips.has(clip.key)) clips.set(clip.key, { ...clip, url: videoAddress(videos[clip.key]) });
  return clips.get(clip.key);
}

const player =
  one("#player") &&
  new Player(one("#player"), { onLength: lengthChanged, onPosition: positionChanged, onPlaying: playingChanged });
const chart = one("#plot") && new Chart(one("#plot"), { onSeek: (position) => seek(position) });

// ---- selecting

function promptOf(name) {
  return report.prompts.find((prompt) => prompt.name === name) ?? report.prompts[0];
}

function variantOf(prompt, name) {
  const find = (wanted) => prompt.variants.find((variant) => variant.name === wanted);
  return find(name) ?? find(prompt.first) ?? { name: "", clip: null, pairs: [], curves: {} };
}

/** Change what is selected; what is not named stays. A frame is the reference's frame number. */
function select({ prompt = selected.prompt, variant = selected.variant, metric = selected.metric, frame = currentFrame() }) {
  const nextPrompt = promptOf(prompt);
  const nextVariant = variantOf(nextPrompt, variant);
  const moved = nextPrompt.name !== selected.prompt || nextVariant.name !== selected.variant;
  Object.assign(selected, { prompt: nextPrompt.name, variant: nextVariant.name, metric: knownMetric(nextPrompt, metric) });
  if (moved) showPanels();
  showChoices();
  const position = positionOf(nextVariant, frame);
  if (moved) player.load(withAddress(nextPrompt.clip), withAddress(nextVariant.clip), nextVariant.pairs, position);
  else player.go(position);
  showCurves();
  remember();
}

function knownMetric(prompt, name) {
  return name in prompt.axes ? name : Object.keys(prompt.axes)[0];
}

/** Return the position of the last pair at or before a frame of the reference. */
function positionOf(variant, frame) {
  if (!variant.pairs.length) return frame;
  return Math.max(0, variant.pairs.findLastIndex(([reference]) => reference <= frame));
}

function currentFrame() {
  const pair = player.pairs[player.target];
  return pair ? pair[0] : 0;
}

function seek(position) {
  player.pause();
  player.go(position);
}

/** Select the next or the previous variant, in the order of the list. */
function nextVariant(by) {
  const names = promptOf(selected.prompt).variants.map((variant) => variant.name);
  const next = (names.indexOf(selected.variant) + by + names.length) % names.length;
  if (names.length) select({ variant: names[next] });
}

// ---- showing

/** Show the parts that belong to the selected prompt and run. */
function showPanels() {
  for (const panel of all("[data-prompt]")) {
    const { prompt, run } = panel.dataset;
    panel.hidden = prompt !== selected.prompt || (run !== undefined && run !== selected.variant);
  }
  const chosen = (element, name) => element.classList.toggle("selected", name === selected.variant);
  for (const mark of all("[data-mark]")) chosen(mark, mark.dataset.mark);
  for (const mark of all("[data-mark].selected")) mark.parentNode.append(mark); // drawn last, over its twins
  for (const row of all("[data-pick]")) chosen(row, row.dataset.pick);
  for (const curve of all("[data-runs]")) curve.classList.toggle("selected", JSON.parse(curve.dataset.runs).includes(selected.variant));
}

function showChoices() {
  if (one("#prompt-select")) one("#prompt-select").value = selected.prompt;
  for (const menu of all(".variant-select")) menu.value = selected.variant;
  for (const radio of all(".variants input")) radio.checked = radio.value === selected.variant;
  for (const radio of all("#metrics input")) radio.checked = radio.value === selected.metric;
  for (const text of all("[data-metric]")) text.hidden = text.dataset.metric !== selected.metric;
}

/** Return the curves of the selected metric, with the frames that their values belong to. */
function curves() {
  return promptOf(selected.prompt)
    .variants.filter((variant) => variant.curves[selected.metric])
    .map((variant) => ({
      name: variant.name,
      control: variant.control,
      frames: variant.pairs.map(([reference]) => reference),
      curve: variant.curves[selected.metric],
      selected: variant.name === selected.variant,
    }));
}

function showCurves() {
  if (!chart) return;
  const lines = curves();
  chart.show({ axis: promptOf(selected.prompt).axes[selected.metric], curves: lines, frames: player.pairs.map(([n]) => n) });
  if (one("#numbers").open) fillNumbers(one("#numbers table"), lines);
}

function lengthChanged(length) {
  one("#seek").max = Math.max(0, length - 1);
  one("#last-frame").textContent = player.pairs.at(-1)?.[0] ?? 0;
  one("#plot")?.setAttribute("aria-valuemax", player.pairs.at(-1)?.[0] ?? 0);
}

function positionChanged(position) {
  const frame = player.pairs[position]?.[0] ?? 0;
  one("#seek").value = position;
  one("#seek").setAttribute("aria-valuetext", frame);
  one("#frame").value = frame;
  chart?.moveTo(position);
  one("#plot")?.setAttribute("aria-valuenow", frame);
  const value = chart?.selected()?.curve.shown[position];
  if (value) one("#plot").setAttribute("aria-valuetext", `${frame}: ${value}`);
  if (!player.playing) remember();
}

function playingChanged(playing) {
  one("#play").setAttribute("aria-pressed", playing);
  if (!playing) remember();
}

let remembering = 0;

/** Keep what is shown in the address once it rests: browsers allow only so many changes of it. */
function remember() {
  clearTimeout(remembering);
  remembering = setTimeout(() => {
    const { prompt, variant, metric } = selected;
    writeAddress({ prompt, variant, frame: currentFrame(), ...(metric && { metric }) });
  }, 150);
}

// ---- controls

function wireControls() {
  one("#play").addEventListener("click", () => (player.playing ? player.pause() : player.play()));
  one("#back").addEventListener("click", () => player.step(-1));
  one("#forward").addEventListener("click", () => player.step(1));
  one("#seek").addEventListener("input", (event) => seek(event.target.valueAsNumber));
  one("#speed").addEventListener("change", (event) => (player.speed = Number(event.target.value)));
  one("#loop").addEventListener("change", (event) => (player.loop = event.target.checked));
  one("#views").addEventListener("change", (event) => (player.view = event.target.value));
  one("#wipe").addEventListener("input", (event) => moveWipe(event.target.valueAsNumber / 100));
  one('[data-side="both"] canvas').addEventListener("pointermove", wipeUnderPointer);
}

function moveWipe(share) {
  player.wipe = share;
  player.paintBoth();
}

function wipeUnderPointer(event) {
  if (player.view !== "wipe") return;
  const box = event.target.getBoundingClientRect();
  const share = (event.clientX - box.left) / box.width;
  one("#wipe").value = 100 * share;
  moveWipe(share);
}

function wirePickers() {
  one("#prompt-select").addEventListener("change", (event) => select({ prompt: event.target.value }));
  for (const picker of all(".variant-select, .variants input"))
    picker.addEventListener("change", (event) => select({ variant: event.target.value }));
  one("#metrics")?.addEventListener("change", (event) => select({ metric: event.target.value }));
  one("#numbers")?.addEventListener("toggle", showCurves);
  for (const row of all("[data-pick]"))
    row.addEventListener("click", (event) => {
      if (!event.target.closest("a, summary")) select({ variant: row.dataset.pick });
    });
  for (const link of all("a.worst")) link.addEventListener("click", () => player.stage.scrollIntoView({ block: "nearest" }));
}

const KEYS = {
  " ": () => (player.playing ? player.pause() : player.play()),
  ArrowLeft: () => player.step(-1),
  ArrowRight: () => player.step(1),
  Home: () => seek(0),
  End: () => seek(player.pairs.length - 1),
  "[": () => nextVariant(-1),
  "]": () => nextVariant(1),
};

/** Keys drive the player unless the focused control has a use for them of its own. */
function keyPressed(event) {
  const action = KEYS[event.key];
  if (!action || event.ctrlKey || event.metaKey || event.altKey) return;
  if (usesKey(event.target, event.key)) return;
  event.preventDefault();
  action();
}

function usesKey(target, key) {
  if (key === "[" || key === "]") return false;
  if (target.matches("select, textarea")) return true;
  if (target.matches("input[type=range], input[type=radio], .wide, .steps-plot")) return key !== " ";
  if (target.matches("button, summary, input[type=checkbox], a")) return key === " ";
  return false;
}

// ---- theme, copy, start

function wireTheme() {
  const root = document.documentElement;
  const dark = () => getComputedStyle(root).colorScheme === "dark" || (root.dataset.theme !== "light" && matchMedia("(prefers-color-scheme: dark)").matches);
  one("#theme").addEventListener("click", () => (root.dataset.theme = dark() ? "light" : "dark"));
}

function wireCopy() {
  const [before, after] = [one("#copy .before"), one("#copy .after")];
  one("#copy").addEventListener("click", async () => {
    await copyText(one("#command"));
    [before.hidden, after.hidden] = [true, false];
    await delay(1600);
    [before.hidden, after.hidden] = [false, true];
  });
}

/** Copy by the clipboard, or by a selection where a page opened from a file may not use it. */
async function copyText(element) {
  try {
    await navigator.clipboard.writeText(element.textContent);
  } catch {
    getSelection().selectAllChildren(element);
    document.execCommand("copy");
  }
}

function followAddress() {
  const { prompt, variant, metric, frame } = readAddress();
  if (prompt === undefined && variant === undefined && frame === undefined) return;
  player.pause();
  select({ prompt, variant, metric, ...(frame !== undefined && { frame: Number(frame) || 0 }) });
}

function start() {
  wireTheme();
  wireCopy();
  if (!report.prompts.length) return;
  wireControls();
  wirePickers();
  for (const plot of all(".steps-plot")) new StepsPlot(plot);
  addEventListener("keydown", keyPressed);
  addEventListener("hashchange", followAddress);
  const { prompt, variant, metric, frame } = readAddress();
  select({ prompt, variant, metric, frame: Number(frame) || 0 });
  if (frame === undefined && !matchMedia("(prefers-reduced-motion: reduce)").matches) player.play();
}

start();
