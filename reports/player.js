// Two clips in step. A position is an index into the pairs of frames that were compared; both pictures are drawn in
// one go, once both frames are there, so the screen never holds frame n of one beside frame m of the other.

const BLINK = 500; // ms a picture stays: one flash a second, well below the three that may harm

class Player {
  constructor(stage, grid, { onLength, onPosition, onPlaying, onFlip, onBoth }) {
    Object.assign(this, { stage, grid, onLength, onPosition, onPlaying, onFlip, onBoth, sides: {}, pairs: [], position: 0, speed: 1, loop: true });
    Object.assign(this, { share: 0.5, gain: 4, flipped: false, heat: null });
    this.playing = false;
    this.target = 0; // where the stage is heading
    this.wanted = null; // the next position to draw; null when there is none
    this.generation = 0;
    this.panes = Object.fromEntries([...stage.querySelectorAll("[data-side]")].map((pane) => [pane.dataset.side, pane]));
  }

  /**
   * Put two clips on the stage; either may be null. The pairs say which frames belong together, and which frame of the
   * reference of the audit they stand for: [left, right, reference].
   */
  load(reference, variant, pairs, position, heat) {
    this.generation += 1;
    this.fill("reference", reference);
    this.fill("variant", variant);
    this.pairs = pairs.length ? pairs : unmapped(reference, variant);
    this.stage.querySelector(".unmapped").hidden = pairs.length > 0 || !reference || !variant;
    this.heat = heat;
    heat?.ready.then(() => this.heat === heat && this.paintBoth());
    delete this.stage.dataset.position; // until something of these clips is on the screen
    this.stage.dataset.both = Boolean(reference && variant);
    this.stage.dataset.sameSize = sameSize(reference, variant);
    this.onLength(this.pairs.length);
    return this.go(position);
  }

  fill(side, clip) {
    const old = this.sides[side];
    if (clip && old?.clip === clip) return;
    old?.dispose();
    this.sides[side] = clip && framesOf(clip);
    const pane = this.panes[side];
    pane.querySelector("canvas").hidden = !clip;
    pane.querySelector(".at").hidden = !clip;
    pane.querySelector(".undecodable").hidden = true;
    pane.classList.toggle("tiny", Boolean(clip) && clip.width < 200);
  }

  /** Show a position; while one is being drawn only the latest wish is kept. */
  async go(position) {
    this.target = Math.min(Math.max(position, 0), Math.max(0, this.pairs.length - 1));
    this.wanted = this.target;
    if (!this.drawing) this.drawing = this.drawWanted().finally(() => (this.drawing = null));
    return this.drawing;
  }

  async drawWanted() {
    while (this.wanted !== null) {
      const [position, generation] = [this.wanted, this.generation];
      this.wanted = null;
      const pair = this.pairs[position];
      if (pair) await Promise.all([this.bring("reference", pair[0]), this.bring("variant", pair[1]), this.grid.bring(pair[2])]);
      if (generation === this.generation) this.paint(position);
    }
  }

  async bring(side, number) {
    const frames = this.sides[side];
    try {
      await frames?.show(Math.min(number, frames.clip.frames - 1));
    } catch {
      if (this.sides[side] !== frames) return;
      this.sides[side] = null;
      this.panes[side].querySelector("canvas").hidden = true;
      this.panes[side].querySelector(".undecodable").hidden = false;
    }
  }

  paint(position) {
    this.position = position;
    for (const side of ["reference", "variant"]) {
      const frames = this.sides[side];
      if (!frames) continue;
      frames.drawOn(this.panes[side].querySelector("canvas"));
      this.panes[side].querySelector(".at output").value = frames.number;
    }
    this.paintBoth();
    this.grid.paint();
    this.stage.dataset.position = position;
    this.onPosition(position);
  }

  paintBoth() {
    const paint = MODES[this.view];
    if (!paint || !this.sides.reference || !this.sides.variant) return;
    const { reference, variant, both } = this.panes;
    const [canvas, left, right] = [both, reference, variant].map((pane) => pane.querySelector(".picture > canvas"));
    paint(canvas, left, right, this);
    this.onBoth();
  }

  get view() {
    return this.stage.dataset.view;
  }

  set view(name) {
    this.stage.dataset.view = name;
    clearInterval(this.blinking);
    if (name === "blink") this.blinking = setInterval(() => this.flip(), BLINK);
    this.flip(false);
  }

  /** Show the other picture of the two that blink. */
  flip(flipped = !this.flipped) {
    this.flipped = flipped;
    this.paintBoth();
    this.onFlip(flipped);
  }

  step(by) {
    this.pause();
    return this.go(this.target + by);
  }

  async play() {
    const clips = [this.sides.reference?.clip, this.sides.variant?.clip];
    if (this.playing || this.pairs.length < 2 || clips.some((clip) => clip?.still)) return;
    this.setPlaying(true);
    const run = (this.run = Symbol("run"));
    if (this.position >= this.pairs.length - 1) await this.go(0);
    for (let due = performance.now(); this.playing && this.run === run; ) {
      due = Math.max(due + this.frameDuration(), performance.now());
      await delay(due - performance.now());
      if (!this.playing || this.run !== run) return;
      if (this.position < this.pairs.length - 1) await this.go(this.position + 1);
      else if (this.loop) await this.go(0);
      else this.pause();
    }
  }

  pause() {
    if (this.playing) this.setPlaying(false);
  }

  setPlaying(playing) {
    this.playing = playing;
    this.onPlaying(playing);
  }

  /** Milliseconds that the current frame stays: pairs may skip frames, the pace is the reference's own. */
  frameDuration() {
    const side = this.sides.reference ? 0 : 1;
    const clip = (this.sides.reference ?? this.sides.variant)?.clip;
    const [here, next] = [this.pairs[this.position], this.pairs[this.position + 1]];
    const frames = here && next ? Math.max(1, next[side] - here[side]) : 1;
    return (1000 * frames) / ((clip?.fps || 8) * this.speed);
  }
}

/** Without a mapping each clip simply counts its own frames, and the shorter one waits at its end. */
function unmapped(reference, variant) {
  const length = Math.max(reference?.frames ?? 0, variant?.frames ?? 0);
  const last = (clip) => (clip ? clip.frames - 1 : length);
  return Array.from({ length }, (_, n) => [Math.min(n, last(reference)), Math.min(n, last(variant)), n]);
}

function sameSize(reference, variant) {
  return Boolean(reference && variant && reference.width === variant.width && reference.height === variant.height);
}
