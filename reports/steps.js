// Plots over the steps of a loop, and over frames: they read the values of a step from the table below them.
// All plots of a section share the step that is pointed at; those over frames also the frame that the players show.

class StepsPlot {
  /** Args: the plot's element, and a callback for a frame that is sought. */
  constructor(plot, onSeek) {
    const figure = plot.closest("figure");
    const { kind, runs, signals, rows } = JSON.parse(plot.dataset.plot);
    Object.assign(this, { plot, runs, onSeek, tip: plot.querySelector(".tip"), at: 0, frame: null });
    this.ofFrames = plot.dataset.counts === "frame";
    this.drawing = new Drawing(plot.querySelector(".ground"), kind, () => this.leave());
    this.drawing.set(signals, { lines: rows });
    this.table = figure.querySelector("table");
    this.rows = [...this.table.tBodies[0].rows];
    this.swatches = [...figure.querySelectorAll(".steps-legend .swatch")];
    plot.addEventListener("pointermove", (event) => this.share(this.under(event)));
    plot.addEventListener("pointerdown", (event) => this.seek(this.under(event)));
    plot.addEventListener("pointerleave", () => this.shareLeave());
    plot.addEventListener("focus", () => plot.matches(":focus-visible") && this.share(this.at));
    plot.addEventListener("blur", () => this.shareLeave());
    this.others = [];
    plot.addEventListener("keydown", (event) => this.key(event));
  }

  /** Make the curve of a run strong. */
  choose(run) {
    this.drawing.set({ chosen: [...this.runs.keys()].filter((curve) => this.runs[curve].includes(run)) });
  }

  /** Return the position of the step that is nearest to the pointer. */
  under(event) {
    const steps = this.rows.map((row) => Number(row.cells[0].textContent));
    return Math.max(0, steps.indexOf(this.drawing.nearest(event, steps)));
  }

  key(event) {
    const last = this.rows.length - 1;
    const to = { ArrowLeft: this.at - 1, ArrowDown: this.at - 1, ArrowRight: this.at + 1, ArrowUp: this.at + 1, Home: 0, End: last }[event.key];
    if (to === undefined || event.ctrlKey || event.metaKey || event.altKey) return;
    event.preventDefault();
    this.seek(to);
  }

  /** Show the values of a step; where steps are frames, have the players show it too. */
  seek(at) {
    this.share(at);
    if (this.ofFrames) this.onSeek(Number(this.rows[this.at].cells[0].textContent));
  }

  /** Put the guide on the frame that the players show, unless something else is pointed at. */
  moveTo(frame) {
    if (!this.ofFrames) return;
    this.frame = frame;
    if (this.tip.hidden) this.drawing.set({ pointed: frame });
  }

  /** Show the values of a step here, and of the same step in the other plots. */
  share(at) {
    this.showStep(at);
    const step = this.rows[this.at].cells[0].textContent;
    for (const other of this.others) other.showStepNamed(step);
  }

  showStepNamed(step) {
    const at = this.rows.findIndex((row) => row.cells[0].textContent === step);
    if (at >= 0) this.showStep(at);
    else this.leave();
  }

  shareLeave() {
    for (const plot of [this, ...this.others]) plot.leave();
  }

  /** Show the values of a step. */
  showStep(at) {
    this.at = Math.min(Math.max(at, 0), this.rows.length - 1);
    const [step, ...values] = [...this.rows[this.at].cells].map((cell) => cell.textContent);
    const heads = [...this.table.tHead.rows[0].cells].slice(1);
    this.tip.querySelector(".tip-step").textContent = step;
    this.tip.querySelector("ul").replaceChildren(...values.map((value, n) => this.item(heads[n], value)));
    this.plot.setAttribute("aria-valuenow", step);
    this.plot.setAttribute("aria-valuetext", `${step}: ${values.map((value, n) => `${heads[n].dataset.short ?? heads[n].textContent} ${value}`).join("; ")}`);
    this.place();
  }

  item(head, value) {
    const [item, name, number] = ["li", "bdi", "strong"].map((kind) => document.createElement(kind));
    [name.textContent, number.textContent] = [head.dataset.short ?? head.textContent, value];
    item.append(this.swatch(head) ?? document.createElement("span"), name, number);
    return item;
  }

  /** Return how the legend draws a column's curve; controls share the last look. */
  swatch(head) {
    const number = Number(head.dataset.swatch ?? -1);
    return this.swatches[Math.min(number, this.swatches.length - 1)]?.cloneNode(true);
  }

  /** Put the guide on the step, and the values beside it. */
  place() {
    if (!this.drawing.view) return;
    const step = Number(this.rows[this.at].cells[0].textContent);
    this.drawing.set({ pointed: step });
    putBeside(this.tip, this.drawing.x(step));
  }

  leave() {
    if (this.plot.matches(":focus-visible")) return;
    this.tip.hidden = true;
    this.drawing.set({ pointed: this.frame });
  }
}

/** Make the plots of each section, linked with each other; returns all. */
function linkStepsPlots(sections, onSeek) {
  return sections.flatMap((section) => {
    const plots = [...section.querySelectorAll(".steps-plot")].map((plot) => new StepsPlot(plot, onSeek));
    for (const plot of plots) plot.others = plots.filter((other) => other !== plot);
    return plots;
  });
}
