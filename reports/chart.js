// The per-frame curve: every variant as a thin line, the selected one strong, the scale behind it as bands.
// Axis, ticks and the texts of values come ready from the report's data.

const NEAR = 16; // pixels within which the pointer finds a thin line

class Chart {
  /** Args: where to draw, and callbacks for a frame that is sought or pointed at (null: no longer). */
  constructor(plot, { onSeek, onPoint }) {
    Object.assign(this, { plot, tip: plot.querySelector(".tip"), onSeek, onPoint, view: null });
    this.drawing = new Drawing(plot.querySelector(".ground"), "frames", () => this.point(null));
    plot.addEventListener("pointermove", (event) => this.hover(event));
    plot.addEventListener("pointerleave", () => this.onPoint(null));
    plot.addEventListener("pointerdown", (event) => this.press(event));
  }

  /** Show a view: { axis, frames, curves: [{ name, frames, curve, selected }] }. */
  show(view) {
    this.view = view;
    const line = this.selected();
    const { axis, curves } = view;
    const numbers = [...view.frames, ...curves.flatMap(({ frames }) => frames)];
    const others = curves.filter((each) => each !== line).flatMap((each) => rows(each, each.curve.values, axis, { control: each.control }));
    const reference = line?.curve.reference ? rows({ ...line, name: "" }, line.curve.reference, axis, { reference: true }) : [];
    this.drawing.set(
      {
        first: numbers.reduce((a, b) => Math.min(a, b), numbers[0] ?? 0),
        last: numbers.reduce((a, b) => Math.max(a, b), numbers[0] ?? 0),
        low: axis.low,
        high: axis.high,
        ticks: curves.length ? axis.ticks.map(([value]) => value) : [],
        labels: axis.ticks.map(([, text]) => text),
      },
      { bands: bands(line, axis), others, chosen: [...reference, ...(line ? rows(line, line.curve.values, axis) : [])] },
    );
    this.plot.querySelector(".empty").hidden = Boolean(line?.curve.values.length);
    this.point(null);
    this.moveTo(this.frame ?? 0);
  }

  selected() {
    return this.view?.curves.find((line) => line.selected);
  }

  /** Return what the selected curve says of a frame: its value, and as text; empty where it says nothing. */
  valueAt(frame) {
    const line = this.selected();
    const n = line ? line.frames.indexOf(frame) : -1;
    return n < 0 ? { value: null, shown: "" } : { value: line.curve.values[n] ?? null, shown: line.curve.shown[n] ?? "" };
  }

  /** Put the cursor on a frame of the reference. */
  moveTo(frame) {
    this.frame = frame;
    if (!this.view) return;
    const { value, shown } = this.valueAt(frame);
    this.drawing.set({ frame, value: placed(value, this.view.axis), readout: shown });
  }

  hover(event) {
    if (event.buttons && event.pointerType === "mouse") this.press(event);
    const frame = this.under(event);
    if (frame === null) return;
    this.onPoint(frame);
    this.near = this.nearest(frame, event.clientY - this.plot.getBoundingClientRect().top);
    this.drawing.set({ near: this.near?.name ?? null });
    this.showTip(frame);
  }

  /** Show what the curves say of a frame that is pointed at, here or in another chart; null takes it away. */
  point(frame) {
    this.near = null;
    this.drawing.set({ pointed: frame, near: null });
    if (frame === null || !this.drawing.view) this.tip.hidden = true;
    else this.showTip(frame);
  }

  showTip(frame) {
    const [tip, near] = [this.tip, this.near];
    tip.querySelector(".tip-frame").textContent = frame;
    tip.querySelector(".tip-value").textContent = this.valueAt(frame).shown;
    tip.querySelector(".tip-other").hidden = !near;
    if (near) {
      tip.querySelector(".tip-name").textContent = near.name;
      tip.querySelector(".tip-near").textContent = near.shown;
    }
    putBeside(tip, this.drawing.x(frame));
  }

  press(event) {
    const frame = this.under(event);
    if (frame !== null) this.onSeek(frame);
  }

  /** Return the frame that is nearest to the pointer. */
  under(event) {
    return this.drawing.nearest(event, this.view?.frames ?? []);
  }

  /** Return the thin line that passes nearest to the pointer at a frame, if one is near. */
  nearest(frame, y) {
    const [near] = this.view.curves
      .filter((line) => !line.selected && line.frames.includes(frame))
      .map((line) => ({ line, n: line.frames.indexOf(frame) }))
      .map(({ line, n }) => ({ name: line.name, shown: line.curve.shown[n], at: placed(line.curve.values[n] ?? null, this.view.axis) }))
      .filter(({ at }) => at !== null)
      .map((found) => ({ ...found, away: Math.abs(this.drawing.y(found.at) - y) }))
      .sort((a, b) => a.away - b.away);
    return near && near.away < NEAR ? near : null;
  }
}

/** Return where a value stands on an axis: an infinite one at the mark of its own, above all others. */
function placed(value, axis) {
  return value === "inf" ? axis.infinite : value;
}

function rows({ name, frames }, values, axis, looks = {}) {
  return frames.map((frame, n) => ({ name, frame, value: placed(values[n] ?? null, axis), ...looks }));
}

/** Return what means nothing (at or beyond the floor) and what another seed looks like (at or beyond the ceiling). */
function bands(line, axis) {
  if (!line) return [];
  const [closest, farthest] = axis.closer === "up" ? [axis.high, axis.low] : [axis.low, axis.high];
  const { floor, ceiling, spread } = { ...line.curve, floor: placed(line.curve.floor, axis), ceiling: placed(line.curve.ceiling, axis) };
  return [
    ...(floor === null ? [] : [{ kind: "floor", from: floor, to: closest, at: floor }]),
    ...(ceiling === null ? [] : [{ kind: "ceiling", from: ceiling, to: farthest, at: ceiling }]),
    ...(spread ? [{ kind: "spread", from: placed(spread[0], axis), to: placed(spread[1], axis), at: null }] : []),
  ];
}
