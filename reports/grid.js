// The reference and several variants at once, all at the same frame: nothing is drawn before every tile has its frame.

const MOST_TILES = 9;

/** Return what a grid shows of a prompt: the reference, the variant that is chosen, and the others whose pixels differ. */
function gridRuns(prompt, chosen) {
  const reference = { name: "", clip: prompt.clip, pairs: null };
  const runs = [reference, ...prompt.variants.filter((run) => run.name === chosen), ...prompt.variants.filter((run) => !run.control)];
  const found = new Map();
  for (const run of runs) if (run.clip && !found.has(run.clip.key)) found.set(run.clip.key, run);
  const shown = new Set([...found.values()].slice(0, MOST_TILES));
  return [reference, ...prompt.variants].filter((run) => shown.has(run)); // in the order of the list
}

class Grid {
  /** Args: the list that holds the tiles, and what to do with the name of a run whose tile is chosen. */
  constructor(list, { onPick }) {
    Object.assign(this, { list, onPick, tiles: [] });
  }

  /** Show runs with these titles; what is shown already keeps its decoders. */
  show(runs, titleOf) {
    const same = ({ run }, n) => run.name === runs[n].name && run.pairs === runs[n].pairs && run.clip.key === runs[n].clip.key;
    if (this.tiles.length === runs.length && this.tiles.every(same)) return;
    this.clear();
    this.tiles = runs.map((run) => this.tile(run, titleOf(run.name), KEPT_BYTES / runs.length));
    this.list.replaceChildren(...this.tiles.map(({ item }) => item));
  }

  tile(run, title, room) {
    const [item, button, canvas, tag] = ["li", "button", "canvas", "span"].map((kind) => document.createElement(kind));
    item.dataset.side = `grid:${run.name}`;
    Object.assign(button, { type: "button", className: "picture" });
    Object.assign(tag, { className: "tag at-left", textContent: title });
    button.append(canvas, tag);
    button.addEventListener("click", () => this.onPick(run.name));
    item.append(button);
    return { run, item, button, canvas, frames: framesOf(withAddress(run.clip), room) };
  }

  clear() {
    for (const { frames } of this.tiles) frames.dispose();
    this.tiles = [];
    this.list.replaceChildren();
  }

  mark(chosen) {
    for (const { run, button } of this.tiles) {
      if (run.name) button.setAttribute("aria-pressed", run.name === chosen);
      else button.disabled = true;
    }
  }

  /** Bring every tile to the frame that goes with one of the reference; a clip that cannot be decoded has no tile. */
  async bring(reference) {
    await Promise.all(this.tiles.map(({ item, run, frames }) => frames.show(frameAt(run, reference)).catch(() => (item.hidden = true))));
  }

  paint() {
    for (const { item, canvas, frames } of this.tiles) if (!item.hidden && frames.number !== null) frames.drawOn(canvas);
  }
}

/** Return a run's frame at a frame of the reference: that of the last pair at or before it. */
function frameAt({ clip, pairs }, reference) {
  const frame = pairs?.length ? (pairs.findLast(([first]) => first <= reference) ?? pairs[0])[1] : reference;
  return Math.min(frame, clip.frames - 1);
}
