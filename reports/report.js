// The page: what is selected, and everybody who has to know. A change goes one way:
// a control or the address -> select() -> panels, player, strip, curves, address.

const one = (selector) => document.querySelector(selector);
const all = (selector) => [...document.querySelectorAll(selector)];

const report = JSON.parse(one("#report-data").textContent);
const videos = JSON.parse(one("#report-clips").textContent);
const maps = JSON.parse(one("#report-maps").textContent);
for (const used of ["#report-clips", "#report-maps"]) one(used).remove(); // megabytes that are not needed twice

const selected = { prompt: null, variant: null, against: "", metric: null, mode: "side" }; // against "": the reference
const clips = new Map();
const heatMaps = new Map();

/** Give clips the addresses of their videos; clips with the same frames share one object. */
function withAddress(clip) {
  if (!clip) return null;
  if (!clips.has(clip.key)) clips.set(clip.key, { ...clip, url: clip.still ? new Blob([bytesOf(videos[clip.key])]) : videoAddress(videos[clip.key]) });
  return clips.get(clip.key);
}

function heatOf(variant) {
  if (!variant.heat || selected.against || !(variant.heat.key in maps)) return null;
  if (!heatMaps.has(variant.heat.key)) heatMaps.set(variant.heat.key, new HeatMap(maps[variant.heat.key]));
  return heatMaps.get(variant.heat.key);
}

const player =
  one("#player") &&
  new Player(one("#player"), new Grid(one("#grid"), { onPick: (variant) => select({ variant }) }), { onLength: lengthChanged, onPosition: positionChanged, onPlaying: playingChanged, onFlip: flipped, onBoth: placeDivider });
const zoom = player && new Zoom(one("#player"), { onChange: zoomChanged });
const strip = player && new Strip(one("#strip"), { onSeek: (position) => seek(position) });
const charts = all(".plot").map((plot) => new Chart(plot, { onSeek: seekFrame, onPoint: pointAll }));
const stepsPlots = linkStepsPlots(all(".inside"), seekFrame);

// ---- selecting

function promptOf(name) {
  return report.prompts.find((prompt) => prompt.name === name) ?? report.prompts[0];
}

function variantOf(prompt, name) {
  const find = (wanted) => prompt.variants.find((variant) => variant.name === wanted);
  return find(name) ?? find(prompt.first) ?? { name: "", clip: null, pairs: [], curves: {}, marks: {} };
}

/** Return what stands on the left: the reference, or the run that was chosen in its place. */
function leftOf(prompt, name) {
  return prompt.variants.find((variant) => variant.name === name) ?? { name: "", clip: prompt.clip, pairs: null };
}

/** Return [left, right, reference] frame numbers of each pair; two runs meet where both meet the reference. */
function pairsOf(left, variant) {
  if (!left.pairs) return variant.pairs.map(([reference, frame]) => [reference, frame, reference]);
  const other = new Map(left.pairs);
  return variant.pairs.filter(([reference]) => other.has(reference)).map(([reference, frame]) => [other.get(reference), frame, reference]);
}

/** Change what is selected; what is not named stays. A frame is the reference's frame number. */
function select(wanted) {
  const { prompt, variant, against, metric, mode, frame } = { ...selected, frame: currentFrame(), ...wanted };
  const nextPrompt = promptOf(prompt);
  const nextVariant = variantOf(nextPrompt, variant);
  const left = leftOf(nextPrompt, against);
  const moved = nextPrompt.name !== selected.prompt || nextVariant.name !== selected.variant || left.name !== selected.against;
  Object.assign(selected, { prompt: nextPrompt.name, variant: nextVariant.name, against: left.name, metric: knownMetric(nextPrompt, metric) });
  const heat = heatOf(nextVariant);
  selected.mode = possibleMode(mode, heat);
  if (moved) showPanels();
  showChoices(heat);
  if (selected.mode === "grid") player.grid.show(gridRuns(nextPrompt, nextVariant.name), nameOf);
  else player.grid.clear();
  player.grid.mark(nextVariant.name);
  const pairs = pairsOf(left, nextVariant);
  const position = positionOf(pairs, frame);
  if (moved) {
    player.load(withAddress(left.clip), withAddress(nextVariant.clip), pairs, position, heat).then(showStrip);
  } else player.go(position);
  showCurves();
  remember();
}

function knownMetric(prompt, name) {
  return Object.hasOwn(prompt.axes, name ?? "") ? name : Object.keys(prompt.axes)[0];
}

/** Return the position of the last pair at or before a frame of the reference. */
function positionOf(pairs, frame) {
  if (!pairs.length) return frame;
  return Math.max(0, pairs.findLastIndex(([, , reference]) => reference <= frame));
}

function currentFrame() {
  return player.pairs[player.target]?.[2] ?? 0;
}

function seek(position) {
  player.pause();
  player.go(position);
}

function seekFrame(frame) {
  seek(positionOf(player.pairs, frame));
}

/** Return the frames of the reference that stand out in the selected variant: { worst: [...], divergence }. */
function marks() {
  const { marks } = variantOf(promptOf(selected.prompt), selected.variant);
  return { worst: marks.worst?.[selected.metric] ?? [], divergence: marks.divergence ?? null };
}

function seekMarked(kind) {
  const frame = kind === "worst" ? marks().worst[0] : marks().divergence;
  if (frame !== undefined && frame !== null) seekFrame(frame);
}

/** Select the next or the previous variant, in the order of the list. */
function nextVariant(by) {
  const names = promptOf(selected.prompt).variants.map((variant) => variant.name);
  const next = (names.indexOf(selected.variant) + by + names.length) % names.length;
  if (names.length) select({ variant: names[next] });
}

// ---- showing

/** Show the parts that belong to the selected prompt and runs. */
function showPanels() {
  for (const panel of all("[data-prompt]")) {
    const { prompt, run, against } = panel.dataset;
    const others = (run !== undefined && run !== selected.variant) || (against !== undefined && against !== selected.against);
    panel.hidden = prompt !== selected.prompt || others;
  }
  const chosen = (element, name) => element.classList.toggle("selected", name === selected.variant);
  for (const mark of all("[data-mark]")) chosen(mark, mark.dataset.mark);
  for (const mark of all("[data-mark].selected")) mark.parentNode.append(mark); // drawn last, over its twins
  for (const row of all("[data-pick]")) chosen(row, row.dataset.pick);
  for (const plot of stepsPlots) plot.choose(selected.variant);
  for (const text of all(".of-left")) text.textContent = nameOf(selected.against);
  for (const text of all(".of-right")) text.textContent = nameOf(selected.variant);
  for (const note of all(".of-two")) note.hidden = !selected.against; // the measurements still compare with the reference
}

/** Return what a run is called; the reference has no name of its own. */
function nameOf(run) {
  return run || one("#against-select").options[0].textContent;
}

function showChoices(heat) {
  if (one("#prompt-select")) one("#prompt-select").value = selected.prompt;
  for (const menu of all(".variant-select")) menu.value = selected.variant;
  for (const radio of all(".variants input")) radio.checked = radio.value === selected.variant;
  for (const radio of all("#metrics input")) radio.checked = radio.value === selected.metric;
  for (const text of all("[data-metric]")) text.hidden = text.dataset.metric !== selected.metric;
  one("#against-select").replaceChildren(...againstOptions());
  one("#against-select").value = selected.against;
  one("#to-worst").disabled = !marks().worst.length;
  one("#to-divergence").disabled = marks().divergence === null;
  showMode(selected.mode, heat);
}

function againstOptions() {
  const first = one("#against-select").options[0];
  return [first, ...promptOf(selected.prompt).variants.filter((each) => each.clip).map((each) => new Option(each.name, each.name))];
}

/** Return the curves of a metric, with the frames that their values belong to. */
function curves(metric) {
  return promptOf(selected.prompt)
    .variants.filter((variant) => variant.curves[metric])
    .map((variant) => ({
      name: variant.name,
      control: variant.control,
      frames: variant.pairs.map(([reference]) => reference),
      curve: variant.curves[metric],
      selected: variant.name === selected.variant,
    }));
}

function showCurves() {
  const frames = player.pairs.map(([, , frame]) => frame);
  for (const chart of charts) {
    const metric = chart.plot.dataset.curve ?? selected.metric;
    chart.show({ axis: promptOf(selected.prompt).axes[metric], curves: curves(metric), frames });
  }
  if (one("#numbers")?.open) fillNumbers(one("#numbers table"), curves(selected.metric));
}

function showStrip() {
  const words = new Map();
  const note = (frame, text) => {
    const position = positionOf(player.pairs, frame);
    words.set(position, [words.get(position), text].filter(Boolean).join(", "));
  };
  const { worst, divergence } = marks();
  const names = one("#strip").dataset;
  worst.forEach((frame, n) => note(frame, n ? names.bad : names.worst));
  if (divergence !== null) note(divergence, names.divergence);
  const { reference, variant } = player.sides;
  strip.show([reference?.clip, variant?.clip], player.pairs, words);
}

function pointAll(frame) {
  for (const chart of charts) chart.point(frame);
}

function lengthChanged(length) {
  one("#seek").max = Math.max(0, length - 1);
  const last = player.pairs.at(-1)?.[2] ?? 0;
  one("#last-frame").textContent = last;
  one("#plot")?.setAttribute("aria-valuemax", last);
}

function positionChanged(position) {
  const frame = player.pairs[position]?.[2] ?? 0;
  one("#seek").value = position;
  one("#seek").setAttribute("aria-valuetext", frame);
  one("#frame").value = frame;
  for (const chart of [...charts, ...stepsPlots]) chart.moveTo(frame);
  strip.mark(position);
  tellPixelsAgain();
  one("#plot")?.setAttribute("aria-valuenow", frame);
  const { shown } = charts[0]?.valueAt(frame) ?? {};
  if (shown) one("#plot").setAttribute("aria-valuetext", `${frame}: ${shown}`);
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
  remembering = setTimeout(writeState, 150);
}

function writeState() {
  const { prompt, variant, against, metric, mode } = selected;
  writeAddress({
    prompt,
    variant,
    frame: currentFrame(),
    ...(metric && { metric }),
    ...(mode !== "side" && { mode }),
    ...(against && { against }),
    ...(["slider", "onion"].includes(mode) && { share: Math.round(100 * player.share) }),
    ...(mode === "difference" && player.gain !== 4 && { gain: player.gain }),
    ...(zoom.scale > 1 && { zoom: [zoom.scale, zoom.x, zoom.y].map((v) => Number(v.toFixed(3))).join(",") }),
    ...(player.speed !== 1 && { speed: player.speed }),
    ...(!player.loop && { loop: 0 }),
  });
}

/** Show what an address asks for; what it does not name stays. */
function follow({ share, gain, zoom: seen, speed, loop, frame, ...names }) {
  const fraction = Number(share) / 100;
  if (share !== undefined && fraction >= 0 && fraction <= 1) moveShare(fraction);
  if (gain !== undefined) setGain(gain);
  if (seen !== undefined) zoom.set(...seen.split(",").map((v) => (Number.isFinite(Number(v)) ? Number(v) : 1)));
  if (speed !== undefined) setSpeed(speed);
  if (loop !== undefined) one("#loop").checked = player.loop = loop !== "0";
  select({ ...names, ...(frame !== undefined && { frame: Number(frame) || 0 }) });
}

function followAddress() {
  const wanted = readAddress();
  if (wanted.prompt === undefined && wanted.variant === undefined && wanted.frame === undefined) return;
  player.pause();
  follow(wanted);
}

function beginDrawings() {
  for (const { drawing } of [...charts, ...stepsPlots]) drawing.begin().catch(() => {}); // the page says it in place of the curves
}

function start() {
  labelCells(all(".wide > table:not(.ranking, .settings, .divergences, .of-steps, .numbers table)"));
  wireTheme();
  wireCopying();
  if (!report.prompts.length) return;
  wireControls();
  wirePickers();
  wireViews();
  wirePixels();
  wirePrinting();
  wireKeys();
  wireSections();
  wireVariantLinks();
  addEventListener("hashchange", followAddress);
  const wanted = readAddress();
  const named = [wanted.prompt, wanted.variant, wanted.frame].some((name) => name !== undefined); // a link shows what its sender saw
  follow({ frame: 0, ...(!named && { mode: recalled("mode") }), ...wanted });
  player.drawing.then(() => requestAnimationFrame(() => setTimeout(beginDrawings))); // once the picture is on the screen
  if (wanted.frame === undefined && !matchMedia("(prefers-reduced-motion: reduce)").matches) player.play();
}

start();
